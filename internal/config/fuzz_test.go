package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/wire"

	"holdfast.dev/holdfast/internal/schedule"
)

// FuzzFile feeds the decoder with anything. Whatever it is, it is read or
// refused with faults that stand where the file has a line; what is read is
// valid.
func FuzzFile(f *testing.F) {
	files, _ := filepath.Glob("testdata/faults/*.yaml")
	for _, file := range files {
		if content, err := os.ReadFile(file); err == nil {
			f.Add(string(content))
		}
	}
	f.Add("schedules:\n- {name: a, channel: news, every: 5s, data: {\"a\": [1, 2.5, null, true]}}\n")
	f.Add("history:\n- {channels: \"news-*\", messages: 5, age: 1h, bytes: 1MiB}\n- {channels: chat, messages: 0}\n")
	f.Add("allow-origin: [https://a.example.com]\nmax-lag: 1MiB\n")
	f.Fuzz(func(t *testing.T, content string) {
		c, _, err := loadFile(content)
		lines := strings.Count(lineEnds.Replace(content), "\n") + 1
		for _, fault := range Faults(err) {
			if fault.Error() == "" {
				t.Error("a fault that says nothing")
			}
			if f, ok := errors.AsType[*Fault](fault); ok && (f.Origin.Line < 0 || f.Origin.Line > lines+1) {
				t.Errorf("line %d of %d: %v", f.Origin.Line, lines, f)
			}
		}
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Errorf("read but not valid: %v", err)
		}
		for _, s := range c.Schedules {
			if wire.CheckJSON(s.Data) != nil || wire.CheckChannel(s.Channel) != nil || s.Every < schedule.MinEvery {
				t.Errorf("schedule %+v", s)
			}
		}
		for _, r := range c.History {
			if r.Channels.Check() != nil || r.Messages < 0 || r.Messages > maxHistoryMessages || r.Age < minHistoryAge || r.Bytes < minHistoryBytes {
				t.Errorf("history %+v", r)
			}
		}
	})
}
