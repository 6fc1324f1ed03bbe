package drain

import (
	"context"
	"flag"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

var replay = flag.Uint64("seed", 0, "replay the random tests with this seed alone")

// seeds calls play for n random seeds, or for the one to replay, and prints
// the one that fails.
func seeds(t *testing.T, n int, play func(t *testing.T, r *rand.Rand)) {
	t.Helper()
	list := []uint64{*replay}
	if *replay == 0 {
		list = make([]uint64, n)
		for i := range list {
			list[i] = rand.Uint64() | 1
		}
	}
	for _, seed := range list {
		ok := func() (ok bool) {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("panic: %v", p)
				}
			}()
			play(t, rand.New(rand.NewPCG(seed, 0)))
			return !t.Failed()
		}()
		if !ok {
			t.Fatalf("replay it with: go test ./internal/drain -run '^%s$' -seed %d", t.Name(), seed)
		}
	}
}

func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)+1))
}

// spacing fails a test when a progress line follows another line within less
// than a second.
type spacing struct {
	last time.Time
}

func (s *spacing) line(t *testing.T, now time.Time, message string) {
	if strings.HasPrefix(message, "draining:") && !s.last.IsZero() && now.Sub(s.last) < time.Second {
		t.Errorf("%q came %v after the line before it", message, now.Sub(s.last))
	}
	s.last = now
}

// simulation steps a machine through random signals, leavings and silence of
// the fleet.
type simulation struct {
	machine *Machine
	rand    *rand.Rand
	now     time.Time
	began   time.Time // zero: not yet
	open    int
	told    int
	known   int // open at the last news
	forced  int // known when forcing began
	lines   spacing
	state   State
}

func TestMachine_KeepsItsPromisesUnderRandomSignals(t *testing.T) {
	seeds(t, 2000, func(t *testing.T, r *rand.Rand) {
		config := Config{Limit: between(r, time.Second, 30*time.Minute)}
		if r.IntN(4) == 0 {
			config.LogEvery = between(r, time.Millisecond, 5*time.Minute)
		}
		s := &simulation{machine: NewMachine(config), rand: r, now: time.Unix(0, 0), open: r.IntN(3000)}
		s.play(t, config.Limit+DefaultWall)
	})
}

func (s *simulation) play(t *testing.T, within time.Duration) {
	kinds := []Kind{Terminate, Interrupt, Status, Status}
	leaving := s.rand.IntN(3) // nobody, few, many
	silent := s.rand.IntN(5) == 0
	for range 100_000 {
		if s.began.IsZero() || s.rand.IntN(200) == 0 {
			s.machine.Signal(s.now, kinds[s.rand.IntN(len(kinds))])
		}
		if leaving > 0 && s.rand.IntN(3) == 0 {
			s.open -= min(s.open-s.told, s.rand.IntN(leaving*3+1))
		}
		if s.told > 0 {
			gone := s.rand.IntN(s.told + 1)
			s.open, s.told = s.open-gone, s.told-gone
		}
		news := s.open
		if silent && s.rand.IntN(2) == 0 {
			news = Unknown
		} else {
			s.known = s.open
		}
		actions := s.machine.Step(s.now, news)
		s.check(t, actions)
		if actions.Outcome != nil {
			if took := s.now.Sub(s.began); took > within {
				t.Errorf("took %v, want at most %v", took, within)
			}
			return
		}
		if t.Failed() {
			return
		}
		s.wait(actions.Wake)
	}
	t.Error("the drain never ends")
}

// wait moves the clock to wake, or to a moment before it.
func (s *simulation) wait(wake time.Time) {
	if wake.IsZero() || s.rand.IntN(10) == 0 {
		next := s.now.Add(between(s.rand, 0, 3*time.Second))
		if wake.IsZero() || next.Before(wake) {
			s.now = next
			return
		}
	}
	s.now = wake
}

func (s *simulation) check(t *testing.T, actions Actions) {
	state := s.machine.State()
	if state < s.state {
		t.Errorf("state went from %v back to %v", s.state, state)
	}
	s.state = state
	if state != Serving && s.began.IsZero() {
		s.began = s.now
	}
	if actions.Force {
		s.forced = s.known
	}
	s.told = min(s.told+actions.Close, s.open)
	if asked := s.machine.asked; asked > s.forced {
		t.Errorf("told %d sessions to leave, only %d were left when forcing began", asked, s.forced)
	}
	if state >= Waiting && actions.Outcome == nil && !actions.Wake.After(s.now) {
		t.Errorf("wants to wake at %v, now is %v", actions.Wake, s.now)
	}
	for _, l := range actions.Lines {
		s.lines.line(t, s.now, l.Message)
	}
	if o := actions.Outcome; o != nil && o.Open == 0 && o.Exit == ExitWall {
		t.Errorf("hard wall without anybody left: %+v", o)
	}
}

// watcher is a log that checks lines as they come.
type watcher struct {
	slog.Handler
	t     *testing.T
	mu    sync.Mutex
	lines spacing
	ended int
}

func (w *watcher) Handle(_ context.Context, r slog.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines.line(w.t, r.Time, r.Message)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "exit" {
			w.ended++
		}
		return true
	})
	return nil
}

func TestRunner_KeepsItsPromisesUnderRandomSignals(t *testing.T) {
	seeds(t, 60, func(t *testing.T, r *rand.Rand) {
		synctest.Test(t, func(t *testing.T) { randomDrain(t, r) })
	})
}

func randomDrain(t *testing.T, r *rand.Rand) {
	config := Config{Limit: between(r, time.Second, 10*time.Minute)}
	c := newCrowd(r.IntN(2000))
	c.linger = between(r, 0, 2*time.Second)
	if r.IntN(4) == 0 {
		c.stuck = make(chan struct{})
	}
	log := &watcher{Handler: slog.DiscardHandler, t: t}
	runner := NewRunner(config, c, slog.New(quiet{log}))
	signals := make(chan os.Signal, 64)
	over := make(chan struct{})
	every, plan := between(r, time.Millisecond, 30*time.Second), randomSignals(r, config.Limit)
	var others sync.WaitGroup
	others.Go(func() { crowdLeaves(c, every, over) })
	others.Go(func() { watchState(t, runner, over) })
	others.Go(func() { plan.play(signals, over) })

	signals <- syscall.SIGTERM
	began := time.Now()
	outcome, err := runner.Run(t.Context(), signals)
	if took := time.Since(began); took > config.Limit+DefaultWall || err != nil {
		t.Errorf("Run returned %v after %v with a limit of %v", err, took, config.Limit)
	}
	close(over)
	if c.stuck != nil {
		close(c.stuck)
	}
	others.Wait()
	if log.ended != 1 {
		t.Errorf("%d last lines", log.ended)
	}
	if outcome.Exit == ExitDrained && c.Open() != 0 {
		t.Errorf("%d sessions are open after exit 0: %+v", c.Open(), outcome)
	}
	if outcome.Exit == ExitWall && c.stuck == nil {
		t.Errorf("hard wall though sessions end within %v: %+v", c.linger, outcome)
	}
}

// plan is the signals of one run, each some time after the one before.
type plan []struct {
	after  time.Duration
	signal os.Signal
}

func randomSignals(r *rand.Rand, limit time.Duration) plan {
	all := []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, Signals()[len(Signals())-1]}
	p := make(plan, r.IntN(6))
	for i := range p {
		p[i].after, p[i].signal = between(r, 0, limit/2), all[r.IntN(len(all))]
	}
	return p
}

func (p plan) play(signals chan<- os.Signal, over <-chan struct{}) {
	for _, next := range p {
		select {
		case <-time.After(next.after):
			signals <- next.signal
		case <-over:
			return
		}
	}
}

// quiet hands every record to the watcher.
type quiet struct{ *watcher }

func (quiet) Enabled(context.Context, slog.Level) bool { return true }

func crowdLeaves(c *crowd, every time.Duration, over <-chan struct{}) {
	for {
		select {
		case <-time.After(every):
			c.leave(5)
		case <-over:
			return
		}
	}
}

// watchState fails when the state goes back or the progress is impossible.
func watchState(t *testing.T, runner *Runner, over <-chan struct{}) {
	var last State
	for {
		p := runner.Progress()
		if p.State < last || p.Left < 0 || p.State > Serving && p.Of < p.Remaining {
			t.Errorf("after %v: %+v", last, p)
		}
		last = p.State
		select {
		case <-time.After(300 * time.Millisecond):
		case <-over:
			return
		}
	}
}
