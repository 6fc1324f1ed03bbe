package transport

import (
	"net/netip"
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

	mu sync.Mutex

	// Guarded by mu.
	open    int
	entered int // ever
	stopped bool
	empty   chan struct{} // closed when admitting has stopped and nobody is left
	second  int64         // the Unix second that arrivals are counted in
	arrived int
	// Sessions of each address and each user that has any; nil without a
	// bound, so that an unbounded gate keeps nothing for a session.
	addresses map[netip.Addr]int32
	users     map[string]int32
	refused   Refusals

	held atomic.Int64 // bytes kept for single sessions: unfinished messages and replies
}

// maxHeld bounds the bytes kept for single sessions, over all of them. What
// is published is not among them: it stands in the logs, once for all.
const maxHeld = 256 << 20

func (g *Gate) init(limits Limits) {
	g.limits = limits
	g.empty = make(chan struct{})
	if limits.PerAddress > 0 {
		g.addresses = make(map[netip.Addr]int32)
	}
	if limits.PerUser > 0 {
		g.users = make(map[string]int32)
	}
}

// Refusals are the sessions that were not let in so far, by the bound that
// was reached.
type Refusals struct {
	Sessions, ConnectRate, PerAddress, PerUser uint64
}

// network returns what counts as one address: an IPv4 address, or the /64
// that an IPv6 network usually is, in which one machine may take any address
// it likes.
func network(address netip.Addr) netip.Addr {
	if address = address.Unmap(); address.Is6() {
		p, _ := address.WithZone("").Prefix(64)
		return p.Addr()
	}
	return address
}

// check returns why a session of user, "" when not known, that comes from a
// network would be refused now, and which bound is in its way, if any. The
// caller holds mu.
func (g *Gate) check(now time.Time, from netip.Addr, user string) (why *wire.Error, reached *uint64) {
	arrived := g.arrived
	if now.Unix() != g.second {
		arrived = 0
	}
	l := &g.limits
	switch {
	case g.stopped:
		return wire.Errorf(wire.Draining, "this server is being stopped and takes no new sessions; try again, another one may answer"), nil
	case l.PerAddress > 0 && int(g.addresses[from]) >= l.PerAddress:
		return wire.Errorf(wire.TooManyRequests, "%d sessions are open from your address, as many as one may have (--max-sessions-per-address); close one first", l.PerAddress), &g.refused.PerAddress
	case l.PerUser > 0 && user != "" && int(g.users[user]) >= l.PerUser:
		return wire.Errorf(wire.TooManyRequests, "this user has %d sessions, as many as one may have (--max-sessions-per-user); close one first", l.PerUser), &g.refused.PerUser
	case g.open >= l.MaxSessions:
		return wire.Errorf(wire.Full, "this server holds %d sessions, as many as it may (--max-sessions)", g.open), &g.refused.Sessions
	case arrived >= l.MaxConnectRate:
		return wire.Errorf(wire.Full, "more than %d new sessions in one second (--max-connect-rate)", l.MaxConnectRate), &g.refused.ConnectRate
	}
	return nil, nil
}

// enter counts one session in, or says why not. user is "" when not known.
// leave must be told the same address and user.
func (g *Gate) enter(now time.Time, address netip.Addr, user string) *wire.Error {
	from := network(address)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err, reached := g.check(now, from, user); err != nil {
		if reached != nil {
			*reached++
		}
		return err
	}
	if s := now.Unix(); s != g.second {
		g.second, g.arrived = s, 0
	}
	g.arrived++
	g.countIn(from, user)
	return nil
}

// countIn counts one session in. The caller holds mu.
func (g *Gate) countIn(from netip.Addr, user string) {
	g.open++
	g.entered++
	if g.addresses != nil {
		g.addresses[from]++
	}
	if g.users != nil && user != "" {
		g.users[user]++
	}
}

// leave counts one session out.
func (g *Gate) leave(address netip.Addr, user string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	if g.addresses != nil {
		release(g.addresses, network(address))
	}
	if g.users != nil && user != "" {
		release(g.users, user)
	}
	g.tellEmpty()
}

// release counts one out, and forgets who has none left.
func release[K comparable](counts map[K]int32, who K) {
	if counts[who]--; counts[who] <= 0 {
		delete(counts, who)
	}
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

// Refusal returns why a session of user, "" when not known, from an address
// would be refused now, or nil.
func (g *Gate) Refusal(address netip.Addr, user string) *wire.Error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err, _ := g.check(time.Now(), network(address), user)
	return err
}

// Refusals returns what was refused so far.
func (g *Gate) Refusals() Refusals {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused
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

// ResumeAdmitting lets sessions in again. Who waits for Empty asks for it anew
// after the next StopAdmitting.
func (g *Gate) ResumeAdmitting() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped {
		g.stopped = false
		g.empty = make(chan struct{})
	}
}

// Open returns how many sessions are open.
func (g *Gate) Open() int {
	open, _, _ := g.count()
	return open
}

// count returns how many sessions are open and how many ever were, and
// whether no more come.
func (g *Gate) count() (open, entered int, stopped bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open, g.entered, g.stopped
}

// Empty returns what is closed when admitting has stopped and no session is
// left.
func (g *Gate) Empty() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.empty
}
