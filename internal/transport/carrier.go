package transport

import (
	"slices"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// carrier is what the session being served sees of its loop. There is one a
// loop, pointed at one conn after the other.
type carrier struct {
	loop *Loop
	conn *conn
}

func (l *Loop) carry(c *conn) session.Carrier {
	l.carrier.conn = c
	return &l.carrier
}

// Send implements session.Carrier.
func (k *carrier) Send(op ws.Opcode, payload []byte) {
	l, c := k.loop, k.conn
	if c.state != open {
		return
	}
	l.framed = ws.AppendFrame(l.framed[:0], op, payload)
	frame := l.framed
	if c.session.Deflate {
		if packed := deflated(frame); packed != nil {
			frame = packed
		}
	}
	switch {
	case l.corked:
		l.cork = append(l.cork, frame...)
	case c.out != nil:
		c.out.replies = append(c.out.replies, frame...)
		c.out.lag += len(frame)
		l.gate.hold(len(frame))
		if l.gate.overfull() {
			l.end(c, errHeld)
		}
		l.checkLag(c)
	default:
		k.put(frame)
	}
}

// put writes to a conn that has nothing due.
func (k *carrier) put(p []byte) {
	l, c := k.loop, k.conn
	n, err := c.write(p)
	l.Sent.Add(uint64(n))
	switch {
	case err != nil:
		l.doom(c)
	case n < len(p):
		rest := slices.Clone(p[n:])
		c.out = &outbox{rest: rest, lag: len(rest)}
		l.watchWrites(c)
	}
}

// Open implements session.Carrier.
func (k *carrier) Open() bool { return k.conn.state == open }

// Join implements session.Carrier.
func (k *carrier) Join(channel string) (session.Subscription, wire.ID) {
	f := k.loop.Hub.Join(channel, k.loop)
	id := k.loop.place(f)
	return session.Subscription{Feed: f, Index: f.Members.Add(k.conn.slot)}, id
}

// Place implements session.Carrier.
func (k *carrier) Place(i int) wire.ID {
	return k.loop.place(k.conn.session.Subscriptions[i].Feed)
}

// Leave implements session.Carrier.
func (k *carrier) Leave(i int) {
	l, c := k.loop, k.conn
	sub := c.session.Subscriptions[i]
	f := sub.Feed
	if c.out != nil {
		if j := c.out.index(f); j >= 0 {
			c.out.drop(j)
			l.settle(f)
		}
	}
	f.Members.Remove(sub.Index, func(slot, index int32) {
		moved := &l.table.at(slot).session
		moved.Subscriptions[moved.Index(f)].Index = index
	})
	if untaken := l.Hub.Leave(f); untaken > 0 {
		l.taken(untaken)
	}
}
