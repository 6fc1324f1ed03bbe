package drain

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestOrder_OfThoseThatContradictTheLaterCounts(t *testing.T) {
	var o order
	first, second := &Notice{}, &Notice{Cancelled: true}
	o.add(Actions{Admit: Refuse, Tell: first})
	o.add(Actions{Close: 5})
	o.add(Actions{Close: 7})
	if o.admit != Refuse || o.tell != first || o.close != 12 {
		t.Errorf("%+v", o)
	}
	o.add(Actions{Admit: Resume, Tell: second})
	if o.admit != Resume || o.tell != second || o.close != 0 {
		t.Errorf("closes or refuses sessions after the drain was called off: %+v", o)
	}
}

func TestRunner_AnswersCallsByTheStateOfTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTrial(Config{Announce: 5 * time.Second, Invite: true}, newCrowd(100))
		want := func(err, wanted error) {
			t.Helper()
			if !errors.Is(err, wanted) {
				t.Errorf("got %v, want %v", err, wanted)
			}
		}
		start := func(limit time.Duration) error { return d.runner.Start(t.Context(), limit) }
		cancel := func() error { return d.runner.Cancel(t.Context()) }
		d.run(t, func() {
			want(cancel(), ErrServing)
			want(start(10*time.Minute), nil)
			if p := d.runner.Progress(); p.State != Announcing || p.Left != 10*time.Minute || p.Cause != CauseAPI || p.Of != 100 {
				t.Errorf("begun: %+v", p)
			}
			want(start(0), ErrDraining)
			time.Sleep(6 * time.Second)
			if d.runner.State() != Waiting || d.crowd.admit(1) {
				t.Errorf("lets sessions in while %v", d.runner.State())
			}
			want(start(time.Minute), nil)
			if p := d.runner.Progress(); p.Left != time.Minute {
				t.Errorf("a new limit: %+v", p)
			}
			synctest.Wait()
			want(cancel(), nil)
			if p := d.runner.Progress(); p.State != Serving || p.Of != 0 {
				t.Errorf("called off: %+v", p)
			}
			synctest.Wait()
			if !d.crowd.admit(1) {
				t.Error("refuses sessions after a drain was called off")
			}
			want(start(10*time.Second), nil)
			time.Sleep(10*time.Second + off)
			d.crowd.admit(1) // to no avail
			want(cancel(), ErrOver)
			want(start(time.Minute), ErrOver)
		})
		notices := d.crowd.notices
		if len(notices) != 4 || !notices[2].Cancelled || notices[0].MoveBy.Sub(d.began) != 8*time.Minute || notices[1].ForcedAt.Sub(d.began) != 66*time.Second {
			t.Errorf("told %+v", notices)
		}
		ctx, done := context.WithCancelCause(t.Context())
		done(errors.New("gone"))
		if err := NewRunner(Config{}, newCrowd(0), slog.New(slog.DiscardHandler)).Cancel(ctx); err == nil || err.Error() != "gone" {
			t.Errorf("a call of a runner that does not run: %v", err)
		}
	})
}

// TestRunner_NobodySlipsPastThoughDrainsAreCalledOff begins and calls off
// drains at random while sessions come and go. At the end none is open, and
// all of those that the last drain was about are accounted for.
func TestRunner_NobodySlipsPastThoughDrainsAreCalledOff(t *testing.T) {
	seeds(t, 200, func(t *testing.T, r *rand.Rand) {
		synctest.Test(t, func(t *testing.T) { randomCalls(t, r) })
	})
}

func randomCalls(t *testing.T, r *rand.Rand) {
	config := Config{Limit: between(r, time.Second, time.Minute), Invite: r.IntN(2) == 0}
	if r.IntN(2) == 0 {
		config.Announce = between(r, 0, 10*time.Second)
	}
	c := newCrowd(1 + r.IntN(200))
	c.linger = between(r, 0, 2*time.Second)
	c.slow = between(r, 0, 3*time.Millisecond)
	runner := NewRunner(config, c, slog.New(slog.DiscardHandler))
	over := make(chan struct{})
	var others sync.WaitGroup
	every := between(r, time.Millisecond, 3*time.Second)
	others.Go(func() {
		for {
			select {
			case <-time.After(every):
				c.admit(2)
				c.leave(1)
			case <-over:
				return
			}
		}
	})
	calls := r.IntN(30)
	pauses := make([]time.Duration, calls)
	for i := range pauses {
		pauses[i] = between(r, 0, 10*time.Second) / time.Duration(1+r.IntN(100_000)) // some at once
	}
	others.Go(func() {
		for i, pause := range pauses {
			time.Sleep(pause)
			if i%2 == 0 {
				_ = runner.Start(t.Context(), time.Duration(i)*time.Second) // refused at times
			} else {
				_ = runner.Cancel(t.Context())
			}
		}
		_ = runner.Start(t.Context(), 0)
	})
	outcome, err := runner.Run(t.Context(), make(chan os.Signal))
	close(over)
	others.Wait()
	if err != nil || outcome.Exit != ExitDrained {
		t.Errorf("%+v, %v", outcome, err)
	}
	if n := c.Census(); n.Open != 0 || !n.Refusing {
		t.Errorf("at the end: %+v", n)
	}
	if o := outcome; o.Of != o.Left+o.Moved+o.Shed+o.Forced || o.Left < 0 {
		t.Errorf("not all are accounted for: %+v", o)
	}
}
