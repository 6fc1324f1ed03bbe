package config

import (
	"reflect"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/schedule"
)

func TestSchedules_TheTestNotificationIsThereUntilAFileNamesItsOwn(t *testing.T) {
	tests := map[string][]string{
		"":              {"test-notification"},
		"listen: :0":    {"test-notification"},
		"schedules:":    nil,
		"schedules: []": nil,
		"schedules:\n- {name: a, channel: news, every: 5s, data: 1}": {"a"},
	}
	for content, want := range tests {
		if content == "listen: :0" {
			content += "\ninsecure: true"
		}
		c, _, err := loadFile(content)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range c.Schedules {
			names = append(names, s.Name)
		}
		if !reflect.DeepEqual(names, want) {
			t.Errorf("%q: schedules %q, want %q", content, names, want)
		}
	}
}

func TestSchedules_DataIsJSONInTheOrderOfTheFile(t *testing.T) {
	c, _, err := loadFile(`
schedules:
  - name: prices
    channel: market:prices
    every: 1m30s
    event: tick
    data:
      z: 1
      a: [1.5, true, null, "x", 0x10, -3]
      text: |
        two
        lines
      "quoted \"key\"": {}
  - {name: flow, channel: news, every: 5s, data: {"text": "<hi> é", "n": 12345678901234567890}}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := schedule.Schedule{Name: "prices", Channel: "market:prices", Every: 90 * time.Second, Event: "tick",
		Data: []byte(`{"z":1,"a":[1.5,true,null,"x",16,-3],"text":"two\nlines\n","quoted \"key\"":{}}`)}
	if got := c.Schedules[0]; !got.Equal(want) {
		t.Errorf("got %+v\n%s", got, got.Data)
	}
	if got := string(c.Schedules[1].Data); got != `{"text":"<hi> é","n":12345678901234567890}` {
		t.Errorf("data %s", got)
	}
}
