package drain

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// trial is one drain in fake time.
type trial struct {
	config Config
	crowd  *crowd
	runner *Runner
	log    *bytes.Buffer

	signals chan os.Signal
	began   time.Time
}

func newTrial(config Config, crowd *crowd) *trial {
	d := &trial{
		config:  config,
		crowd:   crowd,
		log:     new(bytes.Buffer),
		signals: make(chan os.Signal, 64),
		began:   time.Now(),
	}
	d.runner = NewRunner(config, crowd, slog.New(elapsedLog(d.log, d.began)))
	return d
}

// elapsedLog shows the time since began in place of the time of day.
func elapsedLog(w *bytes.Buffer, began time.Time) slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.String("at", a.Value.Time().Sub(began).String())
			}
			return a
		},
	})
}

// run runs the drain while script plays its signals and clients.
func (d *trial) run(t *testing.T, script func()) Outcome {
	t.Helper()
	var playing sync.WaitGroup
	playing.Go(script)
	defer playing.Wait()
	outcome, err := d.runner.Run(t.Context(), d.signals)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	fmt.Fprintf(d.log, "returned after %v\n", time.Since(d.began))
	return outcome
}

func (d *trial) kill(s os.Signal) { d.signals <- s }

// start and cancel do what the calls of the HTTP interface do.
func (d *trial) start(limit time.Duration) {
	if err := d.runner.Start(context.Background(), limit); err != nil {
		fmt.Fprintf(d.log, "start: %v\n", err)
	}
}

func (d *trial) cancel() {
	if err := d.runner.Cancel(context.Background()); err != nil {
		fmt.Fprintf(d.log, "cancel: %v\n", err)
	}
}

func golden(t *testing.T, got []byte) {
	t.Helper()
	name := filepath.Join("testdata", filepath.Base(t.Name())+".golden")
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the log differs from %s (-update writes it anew)\n--- got\n%s--- want\n%s", name, got, want)
	}
}

const (
	sigterm = syscall.SIGTERM
	sigint  = syscall.SIGINT

	// off keeps what scripts do apart from what falls on round times.
	off = 30 * time.Millisecond
)

func TestDrain_LogsAsWritten(t *testing.T) {
	tests := []struct {
		name   string
		config Config
		open   int
		exit   int
		result Result
		script func(*trial)
	}{
		{name: "nobody-connected", open: 0, script: func(d *trial) {
			d.kill(sigterm)
		}},
		{name: "all-leave-gradually", open: 12431, script: func(d *trial) {
			d.kill(sigterm)
			time.Sleep(500 * time.Millisecond)
			for range 1200 {
				time.Sleep(time.Second)
				d.crowd.leave(11)
			}
		}},
		{name: "all-leave-at-once", open: 3, script: func(d *trial) {
			d.kill(sigint)
			time.Sleep(1500 * time.Millisecond)
			d.crowd.leave(3)
		}},
		{name: "nobody-leaves", open: 1000, script: func(d *trial) {
			d.kill(sigterm)
		}},
		{name: "announced", open: 1000, config: Config{Announce: 5 * time.Second, Invite: true}, script: func(d *trial) {
			d.kill(sigterm)
			time.Sleep(2*time.Second + off)
			d.crowd.admit(200)
			for range 24*60 - 10 {
				time.Sleep(time.Second)
				d.crowd.move(1)
			}
		}},
		{name: "announced-to-nobody", open: 0, config: Config{Announce: 5 * time.Second}, script: func(d *trial) {
			d.kill(sigterm)
		}},
		{name: "all-leave-while-announcing", open: 20, config: Config{Announce: 5 * time.Second}, script: func(d *trial) {
			d.kill(sigterm)
			time.Sleep(1500*time.Millisecond + off)
			d.crowd.leave(20)
		}},
		{name: "half-leave-while-shedding", open: 3600, script: func(d *trial) {
			d.kill(sigterm)
			time.Sleep(27*time.Minute + off)
			d.crowd.leave(900)
		}},
		{name: "more-than-the-rate-allows", open: 20_000, config: Config{Limit: 2 * time.Minute, MaxRate: 100}, result: Forced, script: func(d *trial) {
			d.kill(sigterm)
		}},
		{name: "called", open: 500, config: Config{Announce: 5 * time.Second}, script: func(d *trial) {
			d.start(10 * time.Minute)
			time.Sleep(time.Minute + off)
			d.crowd.leave(123)
			d.start(time.Minute)
			time.Sleep(20*time.Second + off)
			d.kill(sigterm) // the first one: it drains already
		}},
		{name: "called-off", open: 500, config: Config{Announce: 5 * time.Second}, script: func(d *trial) {
			d.kill(sigterm)
			time.Sleep(time.Minute + off)
			d.crowd.leave(100)
			time.Sleep(10 * time.Second)
			d.cancel()
			time.Sleep(time.Hour)
			d.crowd.admit(50)
			d.kill(sigterm) // begins anew
			time.Sleep(10 * time.Second)
			d.crowd.leave(450)
		}},
		{name: "called-off-while-shedding", open: 3600, script: func(d *trial) {
			d.kill(sigint)
			time.Sleep(25*time.Minute + off)
			d.cancel()
			time.Sleep(3 * time.Second)
			d.kill(sigint)
			time.Sleep(3 * time.Second)
			d.crowd.leave(3600)
		}},
		{name: "second-sigterm-while-shedding", open: 3600, result: Hurried, script: func(d *trial) {
			d.kill(sigterm)
			time.Sleep(25*time.Minute + off)
			d.kill(sigterm)
		}},
		{name: "longer-while-shedding", open: 360, config: Config{Limit: 5 * time.Minute}, script: func(d *trial) {
			d.kill(sigterm)
			time.Sleep(4*time.Minute + 30*time.Second + off)
			d.start(10 * time.Minute)
		}},
		{name: "second-sigint-while-announcing", open: 100, exit: ExitSignals, result: Forced, config: Config{Announce: 5 * time.Second}, script: func(d *trial) {
			d.kill(sigint)
			time.Sleep(2500*time.Millisecond + off)
			d.kill(sigint)
		}},
		{name: "one-stays", open: 1, config: Config{Limit: 90 * time.Second}, script: func(d *trial) {
			d.kill(sigterm)
		}},
		{name: "second-sigint", open: 8120, exit: ExitSignals, result: Forced, script: func(d *trial) {
			d.kill(sigint)
			time.Sleep(70 * time.Second)
			d.kill(sigint)
		}},
		{name: "second-sigterm", open: 100, result: Hurried, script: func(d *trial) {
			d.kill(sigterm)
			time.Sleep(70 * time.Second)
			d.kill(sigterm)
			time.Sleep(3500 * time.Millisecond)
			d.crowd.leave(70)
		}},
		{name: "third-signal", open: 100, exit: ExitSignals, result: Forced, script: func(d *trial) {
			d.kill(sigterm)
			time.Sleep(20 * time.Second)
			d.kill(sigterm)
			time.Sleep(3200 * time.Millisecond)
			d.kill(sigint)
		}},
		{name: "third-signal-while-forcing", open: 3000, exit: ExitSignals, result: Forced, script: func(d *trial) {
			d.crowd.linger = time.Second
			d.kill(sigint)
			time.Sleep(20 * time.Second)
			d.kill(sigint)
			time.Sleep(2050 * time.Millisecond)
			d.kill(sigint)
		}},
		{name: "double-delivery", open: 100, config: Config{Limit: time.Minute}, script: func(d *trial) {
			d.kill(sigint)
			d.kill(sigterm)
			time.Sleep(1900 * time.Millisecond)
			d.kill(sigint)
			time.Sleep(30 * time.Second)
			d.crowd.leave(100)
		}},
		{name: "log-every", open: 100, config: Config{Limit: time.Minute, LogEvery: 7 * time.Second}, script: func(d *trial) {
			d.kill(sigterm)
			time.Sleep(12 * time.Second)
			d.crowd.leave(63)
		}},
		{name: "hanging-fleet", open: 100, config: Config{Limit: time.Minute}, exit: ExitWall, result: Forced, script: func(d *trial) {
			d.crowd.stuck = make(chan struct{})
			d.kill(sigterm)
			time.Sleep(time.Hour)
			close(d.crowd.stuck)
		}},
		{name: "fleet-that-never-answers", open: 100, config: Config{Limit: time.Minute}, exit: ExitWall, result: Forced, script: func(d *trial) {
			d.crowd.deaf = make(chan struct{})
			d.kill(sigterm)
			time.Sleep(10 * time.Second)
			d.kill(sigterm)
			time.Sleep(time.Minute)
			close(d.crowd.deaf)
		}},
		{name: "sessions-that-never-end", open: 100, config: Config{Limit: time.Minute}, exit: ExitWall, result: Forced, script: func(d *trial) {
			d.crowd.linger = time.Hour
			d.kill(sigterm)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newTrial(tt.config, newCrowd(tt.open))
				d.crowd.linger = 50 * time.Millisecond
				outcome := d.run(t, func() { tt.script(d) })
				if outcome.Exit != tt.exit || outcome.Result != tt.result {
					t.Errorf("ended %v, exit %d; want %v, exit %d", outcome.Result, outcome.Exit, tt.result, tt.exit)
				}
				if got := d.runner.State(); got != Stopped {
					t.Errorf("State() = %v after Run", got)
				}
				golden(t, d.log.Bytes())
			})
		})
	}
}

func TestRunner_ForcesEvenlyAndRefusesPublishesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTrial(Config{}, newCrowd(900))
		d.crowd.linger = 2 * time.Second
		forced := false
		d.runner.OnForcing = func() {
			forced = true
			if d.crowd.Census().Restarts > 0 {
				t.Error("sessions were closed before publishes were refused")
			}
			if got := d.runner.State(); got != Forcing {
				t.Errorf("State() = %v in OnForcing", got)
			}
		}
		d.runner.Undelivered = func() int { return 7 }
		outcome := d.run(t, func() {
			d.kill(sigint)
			time.Sleep(5 * time.Second)
			d.kill(sigint)
		})
		if took := time.Since(d.began); !forced || took > 5*time.Second+DefaultForceOver {
			t.Errorf("took %v, want forcing to take 5s at most", took)
		}
		for i, n := range d.crowd.orders[:30] {
			if n != 30 {
				t.Errorf("slice %d closed %d sessions, want 30", i, n)
			}
		}
		if outcome.Undelivered != 7 || outcome.Forced != 900 {
			t.Errorf("outcome %+v", outcome)
		}
	})
}

func TestRunner_AsksAgainForSessionsThatTheFleetMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTrial(Config{Limit: time.Minute}, newCrowd(900))
		d.crowd.linger = time.Second
		d.crowd.misses = 7 // of each slice
		outcome := d.run(t, func() {
			d.kill(sigint)
			time.Sleep(5 * time.Second)
			d.kill(sigint)
		})
		if took := time.Since(d.began); took > 5*time.Second+DefaultForceOver {
			t.Errorf("took %v, want forcing to take 5s at most", took)
		}
		if outcome.Forced != 900 {
			t.Errorf("outcome %+v", outcome)
		}
	})
}

func TestRunner_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTrial(Config{}, newCrowd(5))
		failed := errors.New("no port")
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			d.kill(sigterm)
			time.Sleep(time.Minute)
			cancel(failed)
		}()
		if _, err := d.runner.Run(ctx, d.signals); !errors.Is(err, failed) {
			t.Errorf("Run returned %v, want the cause", err)
		}
	})
}

func TestRunner_CountsWhenAdmittingStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTrial(Config{Limit: time.Minute}, newCrowd(10))
		d.crowd.slow = 100 * time.Millisecond // a census is under way when the signal comes
		outcome := d.run(t, func() {
			d.kill(Signals()[len(Signals())-1])
			time.Sleep(50 * time.Millisecond)
			d.kill(sigterm)
			d.crowd.admit(3)
		})
		if outcome.Of != 13 {
			t.Errorf("counted %d sessions, want 13: %+v", outcome.Of, outcome)
		}
	})
}

// stuckLog hangs at every line until it is let go.
type stuckLog struct {
	slog.Handler
	free chan struct{}
}

func (l stuckLog) Enabled(context.Context, slog.Level) bool { return true }

func (l stuckLog) Handle(context.Context, slog.Record) error {
	<-l.free
	return nil
}

func TestRunner_EndsThoughTheLogHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTrial(Config{}, newCrowd(10))
		log := stuckLog{slog.DiscardHandler, make(chan struct{})}
		defer close(log.free)
		d.runner = NewRunner(d.config, d.crowd, slog.New(log))
		d.run(t, func() { d.kill(sigterm) })
		if took := time.Since(d.began); took > DefaultLimit+DefaultForceOver {
			t.Errorf("took %v", took)
		}
	})
}

func TestRunner_EndsAtOnceAtTheThirdSignalThoughTheFleetHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTrial(Config{}, newCrowd(10))
		d.crowd.stuck = make(chan struct{})
		defer close(d.crowd.stuck)
		outcome := d.run(t, func() {
			d.kill(sigint)
			time.Sleep(3 * time.Second)
			d.kill(sigint)
			time.Sleep(3 * time.Second)
			d.kill(sigint)
		})
		if took := time.Since(d.began); took > 7*time.Second || outcome.Exit != ExitSignals {
			t.Errorf("exit %d after %v", outcome.Exit, took)
		}
	})
}
