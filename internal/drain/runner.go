package drain

import (
	"context"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

const (
	// answerWithin is how long the machine waits for news from the fleet
	// before it goes on without.
	answerWithin = 500 * time.Millisecond
	// lastWords is how long the end waits for the fleet's last figures, and
	// then for the log.
	lastWords = 500 * time.Millisecond
	// reserve is what these can add to the wall at worst.
	reserve = answerWithin + 2*lastWords
)

// Runner drains a fleet when a signal or a call says so.
type Runner struct {
	// OnForcing is called once when forcing begins, before the first session
	// is closed: publishes are to be refused from then on. Set before Run;
	// may be nil.
	OnForcing func()
	// Undelivered returns how many messages closed sessions did not get any
	// more. Set before Run; may be nil.
	Undelivered func() int

	// Static after construction.
	config Config
	fleet  Fleet
	log    *slog.Logger

	calls chan call
	over  chan struct{} // closed when Run returns

	latest atomic.Pointer[snapshot]
}

// NewRunner returns a runner that drains fleet and says so on log.
func NewRunner(config Config, fleet Fleet, log *slog.Logger) *Runner {
	config = config.withDefaults()
	config.Wall = max(config.Wall-reserve, config.Wall/2)
	r := &Runner{config: config, fleet: fleet, log: log, calls: make(chan call), over: make(chan struct{})}
	r.latest.Store(&snapshot{})
	return r
}

// State returns how far the drain is. It may be called at any time by many
// goroutines.
func (r *Runner) State() State { return r.latest.Load().state }

// Progress returns how the drain stands. It may be called at any time by many
// goroutines.
func (r *Runner) Progress() Progress {
	return r.latest.Load().progress(time.Now(), r.fleet.Census())
}

// Run waits for signals, those of Signals, and calls, and drains the fleet when told to.
// It returns when the drain is over, or with the cause of ctx when that is
// done before. It may run once.
//
// Everything it starts has ended when it returns, but for a call to the fleet
// or the log that hangs: it is left behind at the hard wall and at the third
// signal.
func (r *Runner) Run(ctx context.Context, signals <-chan os.Signal) (Outcome, error) {
	w := &watch{
		runner:  r,
		machine: NewMachine(r.config),
		hands:   newHands(r),
		voice:   newVoice(r.log),
		timer:   time.NewTimer(time.Hour),
	}
	w.timer.Stop()
	defer w.timer.Stop()
	go w.hands.work()
	go w.voice.speak()
	defer w.rest()
	defer close(r.over)
	for {
		select {
		case <-ctx.Done():
			return Outcome{}, context.Cause(ctx)
		case s, ok := <-signals:
			if !ok {
				signals = nil
			}
			w.signal(s)
		case c := <-r.calls:
			w.call(c)
		case answer := <-w.hands.answers:
			w.hear(answer)
		case <-w.timer.C:
			w.look()
		case <-w.empty:
			w.empty = nil
			w.machine.Empty()
			w.step()
		}
		if w.over {
			return w.finish(), nil
		}
	}
}
