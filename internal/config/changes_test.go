package config

import (
	"strings"
	"testing"
)

func TestChanges_SayWhatChangedAndWhatNeedsARestart(t *testing.T) {
	content := "listen: 127.0.0.1:8000\nschedules:\n- {name: a, channel: x, every: 5s, data: 1}\n- {name: b, channel: x, every: 5s, data: 1}\n"
	l := Loader{
		Flags:    map[string][]string{"config": {"holdfast.yaml"}},
		ReadFile: func(string) ([]byte, error) { return []byte(content), nil },
	}
	old, _, err := l.Load()
	if err != nil {
		t.Fatal(err)
	}
	if same, _, _ := l.Load(); len(Changes(old, same)) != 0 {
		t.Errorf("nothing changed, yet: %v", Changes(old, same))
	}
	content = "listen: 127.0.0.1:9000\napi-key: 0123456789abcdef\nlog-level: debug\nheartbeat: 25s\ntls-cert: c.pem\ntls-key: k.pem\n" +
		"schedules:\n- {name: b, channel: y, every: 5s, data: 1}\n- {name: c, channel: x, every: 5s, data: 1}\n"
	next, _, err := l.Load()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range Changes(old, next) {
		lines = append(lines, c.String())
	}
	golden(t, "testdata/changes.golden", strings.Join(lines, "\n"))
}

func TestChanges_AFaultyFileLeavesTheOldConfiguration(t *testing.T) {
	content := "heartbeat: 20s"
	l := Loader{
		Flags:    map[string][]string{"config": {"holdfast.yaml"}},
		ReadFile: func(string) ([]byte, error) { return []byte(content), nil },
	}
	old, _, err := l.Load()
	if err != nil {
		t.Fatal(err)
	}
	content = "heartbeat: soon"
	if _, _, err := l.Load(); err == nil {
		t.Error("the faulty file was accepted")
	}
	if old.Heartbeat.String() != "20s" {
		t.Error("the old configuration changed")
	}
}
