package schedule

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// press is a publisher that notes when each message came.
type press struct {
	began time.Time
	at    map[string][]time.Duration // by channel
	hold  func(ctx context.Context, p wire.Publication) error
}

func (p *press) publish(ctx context.Context, pub wire.Publication) error {
	p.at[pub.Channel] = append(p.at[pub.Channel], time.Since(p.began))
	if p.hold != nil {
		return p.hold(ctx, pub)
	}
	return nil
}

// trial runs schedules for some fake time, each on the channel of its name.
func trial(t *testing.T, length time.Duration, p *press, every map[string]time.Duration) (r *Runner, log string) {
	t.Helper()
	var schedules []Schedule
	for name, d := range every {
		schedules = append(schedules, Schedule{Name: name, Channel: name, Every: d, Data: []byte(`{ "n": 1 }`)})
	}
	var lines bytes.Buffer
	r = New(schedules, p.publish, slog.New(slog.NewTextHandler(&lines, nil)))
	p.began, p.at = time.Now(), make(map[string][]time.Duration)
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	if err := r.Run(ctx); err != nil {
		t.Errorf("Run: %v", err)
	}
	if took := time.Since(p.began); took != length {
		t.Errorf("Run returned after %v, want %v", took, length)
	}
	return r, lines.String()
}

func (r *Runner) count(name string) Counts {
	for _, c := range r.Counts() {
		if c.Name == name {
			return c
		}
	}
	return Counts{}
}

func seconds(list ...float64) (at []time.Duration) {
	for _, s := range list {
		at = append(at, time.Duration(s*float64(time.Second)))
	}
	return at
}

func TestRunner_PublishesEachAtItsOwnIntervalWithoutDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &press{hold: func(context.Context, wire.Publication) error {
			time.Sleep(30 * time.Millisecond)
			return nil
		}}
		r, _ := trial(t, 24*time.Hour+500*time.Millisecond, p, map[string]time.Duration{
			"a": 10 * time.Second, "b": 7 * time.Second, "c": 24 * time.Hour,
		})
		for name, every := range map[string]time.Duration{"a": 10 * time.Second, "b": 7 * time.Second, "c": 24 * time.Hour} {
			at := p.at[name]
			if want := int(24 * time.Hour / every); len(at) != want || r.count(name).Published != int64(want) {
				t.Errorf("%s: %d messages, %+v, want %d", name, len(at), r.count(name), want)
			}
			for i, d := range at {
				if late := d - time.Duration(i+1)*every; late < 0 || late > 60*time.Millisecond {
					t.Fatalf("%s: message %d came %v late", name, i+1, late)
				}
			}
		}
	})
}

func TestRunner_PublishesDataWithoutWhiteSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &press{hold: func(_ context.Context, pub wire.Publication) error {
			if string(pub.Data) != `{"n":1}` {
				t.Errorf("data %s", pub.Data)
			}
			return nil
		}}
		trial(t, 90*time.Second, p, map[string]time.Duration{"a": time.Minute})
	})
}

func TestRunner_SkipsWhatItMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		p := &press{hold: func(ctx context.Context, pub wire.Publication) error {
			if first && pub.Channel == "a" {
				first = false
				time.Sleep(35 * time.Second) // the process stands still
			}
			return nil
		}}
		r, _ := trial(t, 65*time.Second, p, map[string]time.Duration{"a": 10 * time.Second, "b": 11 * time.Second})
		if want := seconds(10, 45, 50, 60); !slices.Equal(p.at["a"], want) {
			t.Errorf("a came at %v, want %v", p.at["a"], want)
		}
		if want := seconds(45, 55); !slices.Equal(p.at["b"], want) {
			t.Errorf("b came at %v, want %v", p.at["b"], want)
		}
		if c := r.count("a"); c.Published != 4 || c.Skipped != 2 {
			t.Errorf("a: %+v", c)
		}
		if c := r.count("b"); c.Published != 2 || c.Skipped != 3 {
			t.Errorf("b: %+v", c)
		}
	})
}

func TestRunner_BoundsAPublishThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &press{hold: func(ctx context.Context, pub wire.Publication) error {
			if pub.Channel == "a" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}}
		r, _ := trial(t, 32*time.Second, p, map[string]time.Duration{"a": 10 * time.Second, "b": 9 * time.Second, "c": 12 * time.Second})
		if want := seconds(9, 18, 27); !slices.Equal(p.at["b"], want) {
			t.Errorf("b came at %v, want %v", p.at["b"], want)
		}
		if want := seconds(15, 25); !slices.Equal(p.at["c"], want) {
			t.Errorf("c came at %v, want %v", p.at["c"], want)
		}
		if c := r.count("a"); c.Failed != 2 { // the third was cut short by the end
			t.Errorf("a: %+v", c)
		}
	})
}

func TestRunner_LogsFailuresOnceAMinuteAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &press{hold: func(_ context.Context, pub wire.Publication) error {
			if pub.Channel == "a" {
				return errors.New("no room")
			}
			return nil
		}}
		r, log := trial(t, 150500*time.Millisecond, p, map[string]time.Duration{"a": time.Second, "b": 10 * time.Second})
		if c := r.count("a"); c.Failed != 150 {
			t.Errorf("a: %+v", c)
		}
		if c := r.count("b"); c.Published != 15 {
			t.Errorf("b: %+v", c)
		}
		if n := strings.Count(log, "\n"); n != 3 {
			t.Errorf("%d lines, want 3:\n%s", n, log)
		}
		for _, want := range []string{"schedule=a", `error="no room"`, "failures=1\n", "failures=60\n"} {
			if !strings.Contains(log, want) {
				t.Errorf("%q is missing in:\n%s", want, log)
			}
		}
	})
}

func TestRunner_WithoutSchedulesWaitsForItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trial(t, time.Hour, &press{}, nil)
	})
}
