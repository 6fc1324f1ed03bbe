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

// simulation steps a machine through random signals, calls, leavings and
// silence of the fleet.
type simulation struct {
	machine  *Machine
	rand     *rand.Rand
	now      time.Time
	wall     time.Time // when it must be over; zero while serving
	fleet    Census
	known    Census // the last news
	lines    spacing
	state    State
	cut      int // how many drains were called off
	restarts int // asked for in this drain
}

func TestMachine_KeepsItsPromisesUnderRandomSignals(t *testing.T) {
	seeds(t, 2000, func(t *testing.T, r *rand.Rand) {
		config := Config{Limit: between(r, time.Second, 30*time.Minute), Invite: r.IntN(2) == 0, MaxRate: r.IntN(600)}
		if r.IntN(4) == 0 {
			config.LogEvery = between(r, time.Millisecond, 5*time.Minute)
		}
		if r.IntN(2) == 0 {
			config.Announce = between(r, 0, 10*time.Second)
		}
		open := r.IntN(3000)
		s := &simulation{machine: NewMachine(config), rand: r, now: time.Unix(0, 0), fleet: Census{Open: open, Staying: open}}
		s.play(t)
	})
}

func (s *simulation) play(t *testing.T) {
	leaving := s.rand.IntN(3) // nobody, few, many
	silent := s.rand.IntN(5) == 0
	for range 200_000 {
		if s.state == Serving || s.rand.IntN(300) == 0 {
			s.disturb(t)
		}
		s.live(leaving)
		if !silent || s.rand.IntN(2) == 0 {
			s.known = s.fleet
			s.machine.News(s.fleet)
		}
		actions := s.machine.Step(s.now)
		s.check(t, actions)
		s.obey(t, actions)
		if actions.Over {
			s.ended(t)
			return
		}
		if t.Failed() {
			return
		}
		s.wait(actions.Wake)
	}
	t.Error("the drain never ends")
}

// disturb sends a signal or makes a call.
func (s *simulation) disturb(t *testing.T) {
	before := s.machine.State()
	switch n := s.rand.IntN(10); n {
	case 0:
		if err := s.machine.Start(s.now, CauseAPI, between(s.rand, 0, time.Hour)); (err == nil) != (before == Serving) {
			t.Errorf("starting while %v: %v", before, err)
		}
	case 1:
		if s.cut > 3 { // or else it never ends
			return
		}
		err := s.machine.Cancel(s.now)
		if possible := before > Serving && before < Forcing; err == nil && !possible {
			t.Errorf("called off while %v", before)
		}
		if err == nil {
			s.cut++
			s.state, s.restarts = Serving, 0
		}
	case 2:
		if err := s.machine.Limit(s.now, between(s.rand, time.Second, time.Hour)); (err == nil) != (before > Serving && before < Forcing) {
			t.Errorf("a new limit while %v: %v", before, err)
		}
	default:
		s.machine.Signal(s.now, []Kind{Terminate, Interrupt, Status, Status}[n%4])
	}
	s.wall = time.Time{}
	if s.machine.State() != Serving {
		s.wall = s.machine.deadline.Add(DefaultWall)
	}
}

// live has sessions come and go.
func (s *simulation) live(leaving int) {
	f := &s.fleet
	if !f.Refusing && s.rand.IntN(20) == 0 {
		f.Open++
		f.Admitted++
		f.Staying++
	}
	if leaving > 0 && s.rand.IntN(3) == 0 {
		n := min(f.Staying, s.rand.IntN(leaving*3+1))
		f.Open, f.Staying = f.Open-n, f.Staying-n
		if s.rand.IntN(2) == 0 {
			f.Moved += n
		}
	}
	if closing := f.Open - f.Staying; closing > 0 {
		f.Open -= s.rand.IntN(closing + 1)
	}
}

// obey does what the machine says.
func (s *simulation) obey(t *testing.T, a Actions) {
	switch a.Admit {
	case Refuse:
		s.fleet.Refusing = true
	case Resume:
		s.fleet.Refusing = false
	}
	n := min(a.Close, s.fleet.Staying)
	s.fleet.Staying -= n
	s.fleet.Restarts += n
	s.restarts += n
	if a.Close > 0 && (!s.fleet.Refusing || a.Admit == Refuse) {
		t.Errorf("closes %d sessions before it knows that no others are let in", a.Close)
	}
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
	if state < s.state && !(s.state == Shedding && state == Waiting) {
		t.Errorf("state went from %v back to %v", s.state, state)
	}
	s.state = state
	if actions.Close > 0 && state < Shedding {
		t.Errorf("closes %d sessions while %v", actions.Close, state)
	}
	if rate := float64(s.machine.config.MaxRate); state == Shedding && float64(actions.Close) > max(1, rate/5) {
		t.Errorf("sheds %d at once at %g a second", actions.Close, rate)
	}
	if actions.Force && state != Forcing {
		t.Errorf("refuses publishes while %v", state)
	}
	if !s.wall.IsZero() && !s.now.Before(s.wall) && !actions.Over {
		t.Errorf("goes on at %v, its wall was at %v", s.now, s.wall)
	}
	if state > Serving && !actions.Over && !actions.Wake.After(s.now) {
		t.Errorf("while %v it wants to wake at %v, now is %v", state, actions.Wake, s.now)
	}
	if n := actions.Tell; n != nil && !n.Cancelled && n.MoveBy.After(n.ForcedAt) {
		t.Errorf("invites to move until %v, closes at %v", n.MoveBy, n.ForcedAt)
	}
	for _, l := range actions.Lines {
		s.lines.line(t, s.now, l.Message)
	}
}

// ended checks how it ended.
func (s *simulation) ended(t *testing.T) {
	s.machine.News(s.fleet)
	o := s.machine.Outcome()
	if o.Remaining == 0 && o.Exit == ExitWall && o.Counted {
		t.Errorf("hard wall without anybody left: %+v", o)
	}
	if o.Exit == ExitDrained && s.fleet.Open > 0 {
		t.Errorf("exit 0 with %d sessions open: %+v", s.fleet.Open, o)
	}
	if o.Counted && o.Shed+o.Forced != s.restarts {
		t.Errorf("%d were closed: %+v", s.restarts, o)
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
	if outcome.Exit == ExitDrained && c.Census().Open != 0 {
		t.Errorf("%d sessions are open after exit 0: %+v", c.Census().Open, outcome)
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
