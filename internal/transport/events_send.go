package transport

import (
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

var errTalks = &session.End{Code: wire.ClosePolicy, Reason: "a client of an event stream has nothing to send"}

// maxDiscard is how much a client may send that has nothing to say.
const maxDiscard = 64 << 10

// tell sends a frame of the session's as an event, and a comment for a ping.
func (k *carrier) tell(op ws.Opcode, payload []byte) {
	l, v := k.loop, k.conn.events()
	switch {
	case op == ws.Ping:
		l.framed = append(l.framed[:0], heartbeatLine...)
	case op != ws.Text:
		return
	case l.corked:
		v.greet(payload)
		return
	default:
		l.framed = appendEvent(l.framed[:0], kindOf(payload), nil, payload)
	}
	k.utter(l.framed)
}

// utter sends bytes to a client that gets events, at once if its socket takes
// them.
func (k *carrier) utter(p []byte) {
	l, c := k.loop, k.conn
	if c.blocked() {
		k.queue(p)
		return
	}
	n, err := c.write(p)
	l.Sent.Add(uint64(n))
	switch {
	case err != nil:
		l.doom(c)
	case n < len(p):
		k.keep(p[n:])
	}
}

// blocked reports whether the socket takes nothing for now. All that is due
// is flushed when it does.
func (c *conn) blocked() bool { return c.writing || c.stream != nil && c.stream.busy }

// beat shows a client of events that the connection stands, and gives it up
// when the socket took nothing of what is due for too long. There is nothing
// that the client would answer.
func (l *Loop) beat(c *conn, heartbeat tick) {
	switch {
	case !c.blocked():
		c.heard = l.wheel.now
		l.carry(c).Send(ws.Ping, nil)
	case l.wheel.now-c.heard > 2*heartbeat:
		l.doom(c)
		return
	}
	l.look(c, heartbeat)
}

// discard drops what a client of events sends: it has nothing to say.
func (l *Loop) discard(c *conn, n int) {
	v := c.out.events
	if v.discarded += n; v.discarded > maxDiscard {
		l.end(c, errTalks)
	}
}

// farewell returns what a client is told at its end.
func (c *conn) farewell(why *session.End) []byte {
	if c.events() != nil {
		return appendClosed(nil, why)
	}
	return ws.AppendClose(nil, uint16(why.Code), why.Reason)
}
