package transport

import (
	"sync"
	"sync/atomic"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// Gate counts the sessions and says who may come in. Refusing and counting
// happen under one lock: once admitting has stopped, nobody slips past.
type Gate struct {
	// Static after newGate.
	limits Limits
	empty  chan struct{} // closed when admitting has stopped and nobody is left

	mu sync.Mutex

	// Guarded by mu.
	open    int
	stopped bool
	second  int64 // the Unix second that arrivals are counted in
	arrived int

	held atomic.Int64 // bytes kept for single sessions: unfinished messages and replies
}

// maxHeld bounds the bytes kept for single sessions, over all of them. What
// is published is not among them: it stands in the logs, once for all.
const maxHeld = 256 << 20

func (g *Gate) init(limits Limits) {
	g.limits = limits
	g.empty = make(chan struct{})
}

// check returns why a session would be refused now. The caller holds mu.
func (g *Gate) check(now time.Time) *wire.Error {
	arrived := g.arrived
	if now.Unix() != g.second {
		arrived = 0
	}
	switch {
	case g.stopped:
		return wire.Errorf(wire.Draining, "this server is being stopped and takes no new sessions; try again, another one may answer")
	case g.open >= g.limits.MaxSessions:
		return wire.Errorf(wire.Full, "this server holds %d sessions, as many as it may (--max-sessions)", g.open)
	case arrived >= g.limits.MaxConnectRate:
		return wire.Errorf(wire.Full, "more than %d new sessions in one second (--max-connect-rate)", g.limits.MaxConnectRate)
	}
	return nil
}

// enter counts one session in, or says why not.
func (g *Gate) enter(now time.Time) *wire.Error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.check(now); err != nil {
		return err
	}
	if s := now.Unix(); s != g.second {
		g.second, g.arrived = s, 0
	}
	g.arrived++
	g.open++
	return nil
}

// leave counts one session out.
func (g *Gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	g.tellEmpty()
}

func (g *Gate) tellEmpty() {
	if g.stopped && g.open == 0 {
		select {
		case <-g.empty:
		default:
			close(g.empty)
		}
	}
}

// hold notes that n more bytes are kept for a session, or fewer.
func (g *Gate) hold(n int) {
	if n != 0 {
		g.held.Add(int64(n))
	}
}

func (g *Gate) overfull() bool { return g.held.Load() > maxHeld }

// Refusal returns why a session would be refused now, or nil.
func (g *Gate) Refusal() *wire.Error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.check(time.Now())
}

// StopAdmitting refuses all sessions from now on and returns how many are
// open.
func (g *Gate) StopAdmitting() (open int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped = true
	g.tellEmpty()
	return g.open
}

// Open returns how many sessions are open.
func (g *Gate) Open() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

// Empty returns what is closed when admitting has stopped and no session is
// left.
func (g *Gate) Empty() <-chan struct{} { return g.empty }
