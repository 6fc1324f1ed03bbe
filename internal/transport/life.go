package transport

import (
	"math/rand/v2"
	"net/netip"
	"strconv"
	"time"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

const (
	flushTime  = 2 * time.Second // for what is due before the close frame
	lingerTime = 2 * time.Second // for the client's end of the connection
)

var errHeld = &session.End{Code: wire.CloseOverloaded, Reason: "the server holds too much for its clients"}

var errSlow = &session.End{Code: wire.CloseTooSlow, Reason: "too slow: further behind than a session may be"}

// arrival is a client on its way onto a loop.
type arrival struct {
	fd       int32
	stream   *stream
	response []byte // the answer to the handshake
	input    []byte // what the client sent behind it
	grant    *session.Grant
	address  netip.AddrPort
	deflate  bool
	events   bool // what it gets are Server-Sent Events
	wants    []wire.Wanted
}

// admit puts a new client on the loop: the answer to its handshake, its
// welcome and its subscriptions go out in one write.
func (l *Loop) admit(a *arrival) {
	c := l.table.take()
	c.state, c.fd, c.stream, c.heard = open, a.fd, a.stream, l.wheel.now
	c.session = session.Session{ID: l.newID(), Grant: a.grant, Address: a.address, Deflate: a.deflate}
	if a.events {
		c.out = &outbox{events: &events{}}
		l.AcceptedEvents.Add(1)
	} else {
		l.Accepted.Add(1)
	}
	l.ids[c.session.ID] = c.slot
	l.open.Add(1)
	if c.stream != nil {
		c.stream.begin(l, c)
	} else if err := l.poller.add(c.fd, c.slot, c.generation); err != nil {
		l.Logger.Error("a client could not be watched", "error", err)
		l.doom(c)
		return
	}
	l.cork = append(l.cork[:0], a.response...)
	l.corked = true
	c.session.Start(l.clock, l.Policy, l.carry(c), a.wants)
	l.corked = false
	l.greet(c)
	l.welcome(c)
	if end := c.session.Check(l.Policy); end != nil {
		l.end(c, end)
	}
	if c.state == open {
		l.look(c, 1+jitter(ticks(l.Policy.Heartbeat)))
	}
	if len(a.input) > 0 {
		l.received(c, a.input)
	}
}

// jitter returns a part of d, so that what is done every d spreads out.
func jitter(d tick) tick { return tick(rand.N(int64(d))) }

// greet sends what the cork held back, and what the client missed behind it.
func (l *Loop) greet(c *conn) {
	k := l.carry(c).(*carrier)
	switch v := c.events(); {
	case c.out == nil:
		k.put(l.cork)
		return
	case v != nil:
		l.cork = v.appendGreeting(l.cork)
		if k.utter(l.cork); c.blocked() {
			return
		}
	default:
		k.queue(l.cork)
	}
	l.flush(c)
}

func (l *Loop) newID() session.ID {
	for {
		id := session.ID(rand.Uint64())
		if _, taken := l.ids[id]; !taken {
			return id
		}
	}
}

// ready serves one event of the poller.
func (l *Loop) ready(e event) {
	slot, generation := e.conn()
	c := l.table.live(slot, generation)
	if c == nil || c.state == doomed {
		return
	}
	if e.readable() {
		l.read(c)
	}
	if e.writable() && c.state != doomed {
		l.flush(c)
	}
}

// read takes what the socket has, once: the rest shows up in the next round.
func (l *Loop) read(c *conn) {
	n, err := receive(c.fd, l.scratch)
	switch {
	case err != nil || n == 0:
		l.doom(c)
	case n > 0:
		l.received(c, l.scratch[:n])
	}
}

// received feeds a session with what its client sent.
func (l *Loop) received(c *conn, p []byte) {
	if c.events() != nil {
		l.discard(c, len(p))
		return
	}
	c.heard = l.wheel.now
	if c.state != open {
		return // it was told that we no longer listen
	}
	_, before := c.session.Unfinished()
	whole, err := c.session.Receive(p, l.clock, l.Policy, l.carry(c))
	begun, held := c.session.Unfinished()
	l.gate.hold(held - before)
	if whole > 0 {
		c.begun = 0
	}
	switch end, ok := err.(*session.End); {
	case ok:
		l.end(c, end)
	case held > before && l.gate.overfull():
		l.end(c, errHeld)
	case !begun:
		c.begun = 0
	case c.begun == 0:
		c.begun = l.wheel.now
	}
	if c.out != nil && !c.writing {
		l.flush(c) // it has asked for what it missed
	}
}

// end closes a session in order: what is due, if it is to be kept, then the
// close frame, then our side of the connection.
func (l *Loop) end(c *conn, why *session.End) {
	if c.state != open {
		return
	}
	c.state, c.code = closing, why.Code
	l.open.Add(-1)
	if c.invited && why.Code == wire.CloseNormal {
		l.Moved.Add(1)
	}
	if c.out == nil {
		c.out = &outbox{}
	}
	if why.Code != wire.CloseRestart {
		l.dropCursors(c)
		l.dropReplies(c)
	}
	l.detach(c)
	c.out.final = c.farewell(why)
	l.wheel.set(c, ticks(flushTime))
	l.flush(c)
}

// detach takes a conn out of all feeds. What it was offered before stays due.
func (l *Loop) detach(c *conn) {
	if c.out != nil {
		for i := range c.out.cursors {
			if f := c.out.cursors[i].feed; f != nil {
				c.out.cursors[i].feed = nil
				f.Behind--
				l.settle(f)
			}
		}
	}
	c.session.Leave(l.Policy, l.carry(c))
}

// doom has the conn closed at the end of the round.
func (l *Loop) doom(c *conn) {
	if c.state == doomed {
		return
	}
	switch c.state {
	case open:
		l.open.Add(-1)
		c.code = wire.CloseAbnormal
		if c.invited && c.events() != nil { // it has no other way to say good-bye
			l.Moved.Add(1)
		}
	case closing:
		l.Undelivered.Add(uint64(c.out.messages()))
		if c.code != wire.CloseTooSlow { // who does not read cannot be told either
			c.code = wire.CloseAbnormal
		}
	}
	c.state = doomed
	l.ended = append(l.ended, c)
}

// restartReason begins the reason of a restart; the milliseconds follow.
const restartReason = "restart retry="

// restart is the end that a client is given when this server ends: it comes
// back after a time of its own.
func restart() *session.End {
	const soonest, latest = 500, 5500
	ms := soonest + rand.IntN(latest-soonest)
	return &session.End{Code: wire.CloseRestart, Reason: restartReason + strconv.Itoa(ms)}
}

// look has a conn looked at again after so long, or as soon as its token
// needs it. One whose token has come to its end is closed.
func (l *Loop) look(c *conn, after tick) {
	next, end := c.session.Tick(l.clock, l.carry(c))
	if end != nil {
		l.end(c, end)
		return
	}
	if next > 0 {
		after = min(after, 1+ticks(next))
	}
	l.wheel.set(c, after)
}

// expire decides what is due for a conn whose time has come.
func (l *Loop) expire(c *conn) {
	heartbeat := ticks(l.Policy.Heartbeat)
	now := l.wheel.now
	switch {
	case c.state == closing && c.out.final != nil && len(c.out.cursors)+len(c.out.replies) > 0:
		l.Undelivered.Add(uint64(c.out.messages()))
		l.dropCursors(c) // it took too long; the close frame must still arrive
		l.dropReplies(c)
		l.wheel.set(c, ticks(flushTime))
		l.flush(c)
	case c.state == open && c.events() != nil:
		l.beat(c, heartbeat)
	case c.state != open, now-c.heard > 2*heartbeat:
		l.doom(c)
	case c.out != nil && c.out.replay > 0 && now-c.out.taken > 2*heartbeat:
		l.end(c, errSlow) // the log would be kept for it without end
	case c.begun != 0 && now-c.begun > 2*heartbeat:
		l.end(c, &session.End{Code: wire.ClosePolicy, Reason: "a message was begun and not finished"})
	default:
		l.carry(c).Send(ws.Ping, nil)
		l.look(c, heartbeat)
	}
}
