package transport

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"holdfast.dev/holdfast/internal/session"
)

// Parked is a session that nobody serves for a moment: it is on its way to
// another process, or back. Its client notices nothing but the moment.
type Parked struct {
	State  session.State `json:"session"`
	Silent time.Duration `json:"silent,omitempty"` // since the client was last heard from
	Begun  time.Duration `json:"begun,omitempty"`  // since its unfinished message began; 0 without one

	// FD is its socket. It belongs to whoever holds the Parked.
	FD int32 `json:"-"`
}

// Park takes up to n sessions off their loops, with all that is to be known
// of them. They still count as open, until [Server.Depart] or [Server.Adopt]
// is called with them: one of the two must be. Sessions that cannot move stay
// where they are: those on TLS or HTTP/2, those that are being closed, and,
// for as long as it lasts, those that wait for an answer from elsewhere.
func (s *Server) Park(ctx context.Context, n int) []Parked {
	share := (n + len(s.loops) - 1) / len(s.loops)
	parked := ask(ctx, s.loops, func(l *Loop) []Parked { return l.park(share) })
	return parked
}

// Depart closes this process's hold of sessions that another one serves now.
func (s *Server) Depart(parked []Parked) {
	for i := range parked {
		closeDescriptor(parked[i].FD)
		s.gate.leave(parked[i].State.Address.Addr(), parked[i].State.Grant.Name())
	}
}

// Return has sessions that were parked here served here again.
func (s *Server) Return(parked []Parked) { s.handOut(parked) }

// Adopt takes over sessions that another process has parked. They count from
// now on, whatever the bounds say: they were let in before.
func (s *Server) Adopt(parked []Parked) {
	for i := range parked {
		s.gate.adopt(parked[i].State.Address.Addr(), parked[i].State.Grant.Name())
	}
	s.handOut(parked)
}

// handOut gives each loop its part of the sessions.
func (s *Server) handOut(parked []Parked) {
	size := (len(parked) + len(s.loops) - 1) / len(s.loops)
	for part := range slices.Chunk(parked, max(1, size)) {
		l := s.loops[s.turn.Add(1)%uint32(len(s.loops))]
		l.do(func() {
			for i := range part {
				l.adopt(&part[i])
			}
		})
	}
}

// adopt counts a session in that comes from another process.
func (g *Gate) adopt(address netip.Addr, user string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.countIn(network(address), user)
}

// park takes up to n sessions off the loop.
func (l *Loop) park(n int) (parked []Parked) {
	l.table.each(0, func(c *conn) bool {
		if len(parked) == n {
			return false
		}
		if c.state == open && c.stream == nil && c.waits == 0 {
			parked = append(parked, l.parkOne(c))
		}
		return true
	})
	return parked
}

func (l *Loop) parkOne(c *conn) Parked {
	events := c.events() != nil
	due := l.take(c)
	p := Parked{State: c.session.Save(l.clock, l.Policy, l.carry(c)), FD: c.fd}
	p.State.Output, p.State.Events = due, events
	p.Silent = time.Duration(l.wheel.now-c.heard) * tickLength
	if c.begun != 0 {
		p.Begun = time.Duration(l.wheel.now-c.begun+1) * tickLength
	}
	_, held := c.session.Unfinished()
	l.gate.hold(-held)
	c.session.Part(l.carry(c))
	l.wheel.clear(c)
	delete(l.ids, c.session.ID)
	l.poller.forget(c.fd)
	l.open.Add(-1)
	l.table.release(c)
	return p
}

// take returns all that is due to a conn, as if its socket had taken it: what
// it has yet to be sent may stand in no log elsewhere.
func (l *Loop) take(c *conn) []byte {
	l.parking, l.parked = true, l.parked[:0]
	l.flush(c)
	l.parking = false
	return slices.Clone(l.parked)
}

// adopt serves a session that was parked.
func (l *Loop) adopt(p *Parked) {
	c := l.table.take()
	c.state, c.fd = open, p.FD
	if p.State.Events {
		c.out = &outbox{events: &events{}}
	} else if len(p.State.Output) > 0 {
		c.out = &outbox{}
	}
	if c.out != nil {
		c.out.rest, c.out.lag = p.State.Output, len(p.State.Output)
	}
	l.open.Add(1)
	l.ids[p.State.ID] = c.slot
	err := l.poller.add(c.fd, c.slot, c.generation)
	c.session.Restore(p.State, l.clock, l.Policy, l.carry(c))
	if err != nil {
		l.Logger.Error("a client that was taken over could not be watched", "error", err)
		l.doom(c)
		return
	}
	if c.state != open {
		return
	}
	l.received(c, p.State.Input)
	c.heard = l.wheel.now - min(ticks(p.Silent), l.wheel.now-1)
	if c.begun != 0 {
		c.begun = l.wheel.now - min(ticks(p.Begun), l.wheel.now-1)
	}
	if end := c.session.Check(l.Policy); end != nil {
		l.end(c, end)
		return
	}
	l.look(c, 1+jitter(ticks(l.Policy.Heartbeat)))
	l.flush(c)
}
