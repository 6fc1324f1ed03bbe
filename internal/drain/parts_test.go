package drain

import (
	"encoding/json"
	"testing"
	"time"
)

func TestHuman_LeavesOutWhatIsZero(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s":      0,
		"1ms":     900 * time.Microsecond,
		"340ms":   340 * time.Millisecond,
		"1s":      time.Second,
		"2.9s":    2940 * time.Millisecond,
		"10s":     9_990 * time.Millisecond,
		"12s":     12_345 * time.Millisecond,
		"1m":      time.Minute,
		"19m40s":  19*time.Minute + 39_999*time.Millisecond,
		"30m":     30 * time.Minute,
		"1h":      time.Hour,
		"1h0m10s": time.Hour + 10*time.Second,
		"1h30m":   90 * time.Minute,
		"100h":    100 * time.Hour,
	} {
		if got := human(d); got != want {
			t.Errorf("human(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestCountdown_ShowsWholeSeconds(t *testing.T) {
	if got := countdown(972 * time.Millisecond); got != "1s" {
		t.Errorf("got %s", got)
	}
}

func TestCadence_FallsOnRoundTimes(t *testing.T) {
	began := time.Unix(0, 0)
	c := cadence{started: began, deadline: began.Add(11*time.Minute + 30*time.Second)}
	for left, want := range map[time.Duration]time.Duration{
		11*time.Minute + 30*time.Second: 11 * time.Minute,
		10*time.Minute + 20*time.Second: 10 * time.Minute,
		10 * time.Minute:                10 * time.Minute,
		9*time.Minute + 59*time.Second:  9*time.Minute + 30*time.Second,
		2*time.Minute + time.Second:     2 * time.Minute,
		119 * time.Second:               110 * time.Second,
		10500 * time.Millisecond:        10 * time.Second,
		9900 * time.Millisecond:         9 * time.Second,
		time.Second:                     time.Second,
		900 * time.Millisecond:          0,
		-time.Second:                    0,
	} {
		if got := c.deadline.Sub(c.slot(c.deadline.Add(-left))); got != want {
			t.Errorf("with %v left the next line comes at %v, want %v", left, got, want)
		}
	}
}

func TestProgress_TellsMoreOnceADrainHasBegun(t *testing.T) {
	began := time.Date(2026, 11, 23, 17, 4, 5, 678_900_000, time.UTC)
	tests := []struct {
		progress Progress
		want     string
	}{
		{Progress{Tally: Tally{Remaining: 12}}, `{"state":"serving","remaining":12}`},
		{Progress{
			State: Waiting, Tally: Tally{Remaining: 8120, Of: 12431, Left: 4000, Moved: 311}, Cause: "SIGTERM",
			Left: 1180*time.Second - time.Millisecond, StartedAt: began, ShedAt: began.Add(24 * time.Minute), ForcedAt: began.Add(30 * time.Minute),
		}, `{"state":"waiting","remaining":8120,"of":12431,"left_s":1180,` +
			`"forced_at":"2026-11-23T17:34:05.678Z","shed_at":"2026-11-23T17:28:05.678Z","started_at":"2026-11-23T17:04:05.678Z",` +
			`"cause":"SIGTERM","left":4000,"moved":311,"shed":0,"forced":0}`},
		{Progress{State: Forcing, Tally: Tally{Of: 3, Shed: 1, Forced: 2}, Cause: "SIGINT", StartedAt: began, ShedAt: began, ForcedAt: began},
			`{"state":"forcing","remaining":0,"of":3,"left_s":0,` +
				`"forced_at":"2026-11-23T17:04:05.678Z","shed_at":"2026-11-23T17:04:05.678Z","started_at":"2026-11-23T17:04:05.678Z",` +
				`"cause":"SIGINT","left":0,"moved":0,"shed":1,"forced":2}`},
	}
	for _, tt := range tests {
		got, err := json.Marshal(tt.progress)
		if err != nil || string(got) != tt.want {
			t.Errorf("%+v:\n got %s, %v\nwant %s", tt.progress, got, err, tt.want)
		}
	}
}

func TestSignals_AreAllUnderstood(t *testing.T) {
	for _, s := range Signals() {
		if _, ok := kindOf(s); !ok {
			t.Errorf("%v is not understood", s)
		}
	}
	if _, ok := kindOf(nil); ok {
		t.Error("nil is understood")
	}
}
