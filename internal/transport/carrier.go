package transport

import (
	"context"
	"slices"

	"holdfast.dev/holdfast/internal/hub"
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
	if c.events() != nil {
		k.tell(op, payload)
		return
	}
	l.framed = ws.AppendFrame(l.framed[:0], op, payload)
	frame := l.framed
	if c.session.Deflate && len(frame) <= maxDeflate {
		if packed := deflated(frame); packed != nil {
			frame = packed
		}
	}
	switch {
	case l.corked:
		l.cork = append(l.cork, frame...)
	case c.out != nil:
		k.queue(frame)
	default:
		k.put(frame)
	}
}

// queue has frames sent behind what is due already but for cursors.
func (k *carrier) queue(frames []byte) {
	l, c := k.loop, k.conn
	c.out.replies = append(c.out.replies, frames...)
	c.out.lag += len(frames)
	l.gate.hold(len(frames))
	if l.gate.overfull() {
		l.end(c, errHeld)
	}
	l.checkLag(c)
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
		c.out = &outbox{}
		k.keep(p[n:])
	}
}

// keep has the rest of frames sent that have begun, of a conn that has
// nothing else due.
func (k *carrier) keep(rest []byte) {
	l, c := k.loop, k.conn
	c.out.rest, c.out.own = slices.Clone(rest), true
	c.out.lag += len(rest)
	l.gate.hold(len(rest))
	l.watchWrites(c)
	if l.gate.overfull() {
		l.end(c, errHeld)
	}
}

// Open implements session.Carrier.
func (k *carrier) Open() bool { return k.conn.state == open }

// Join implements session.Carrier.
func (k *carrier) Join(channel string) (session.Subscription, wire.ID) {
	f := k.loop.Hub.Join(channel, k.loop)
	id := k.loop.place(f)
	if v := k.conn.events(); v != nil {
		v.joined(f, id)
	}
	return session.Subscription{Feed: f, Index: f.Members.Add(k.conn.slot)}, id
}

// Resume implements session.Carrier.
func (k *carrier) Resume(i int, since, place wire.ID) (hub.Replay, error) {
	l, c := k.loop, k.conn
	f := c.session.Subscriptions[i].Feed
	replay, err := l.Hub.Resume(f, since, place)
	if v := c.events(); v != nil {
		v.resumed(f, since, place, replay, err != nil)
	}
	if err == nil && replay.Gap == "" && since.Epoch == place.Epoch && since.Seq > place.Seq {
		l.ahead.note(f, c.slot, since)
	}
	if err != nil || replay.First == nil {
		return replay, err
	}
	if c.out == nil {
		c.out = &outbox{}
	}
	if c.out.replay == 0 {
		c.out.taken = l.wheel.now
	}
	c.out.resume(f, replay.Batch)
	l.Replayed.Add(uint64(replay.Messages))
	return replay, nil
}

// Reached implements session.Carrier.
func (k *carrier) Reached(i int) wire.ID {
	c := k.conn
	sub := c.session.Subscriptions[i]
	if c.out != nil {
		if j := c.out.index(sub.Feed); j >= 0 {
			return c.out.reached(j)
		}
	}
	if since, noted := k.loop.ahead[sub.Feed][c.slot]; noted {
		return since
	}
	return k.loop.reached(sub.Feed, sub.Index)
}

// Reply implements session.Carrier.
func (k *carrier) Reply() func(func(*session.Session, session.Carrier)) {
	l, slot, generation := k.loop, k.conn.slot, k.conn.generation
	return func(hand func(*session.Session, session.Carrier)) {
		l.do(func() {
			if c := l.table.live(slot, generation); c != nil {
				c.waits--
				if c.state == open {
					hand(&c.session, l.carry(c))
				}
			}
		})
	}
}

// Await implements session.Carrier.
func (k *carrier) Await() { k.conn.waits++ }

// Later implements session.Carrier.
func (k *carrier) Later(work func(context.Context) func(*session.Session, session.Carrier)) {
	reply := k.Reply()
	k.Await()
	k.loop.wg.Go(func() { reply(work(k.loop.ctx)) })
}

// Leave implements session.Carrier.
func (k *carrier) Leave(i int) {
	l, c := k.loop, k.conn
	sub := c.session.Subscriptions[i]
	f := sub.Feed
	if v := c.events(); v != nil && c.state == open {
		v.left(f)
	}
	if c.out != nil {
		if j := c.out.index(f); j >= 0 {
			c.out.drop(j)
			l.settle(f)
		}
	}
	l.ahead.forget(f, c.slot)
	f.Members.Remove(sub.Index, func(slot, index int32) {
		moved := &l.table.at(slot).session
		moved.Subscriptions[moved.Index(f)].Index = index
	})
	if untaken := l.Hub.Leave(f); untaken > 0 {
		l.taken(untaken)
	}
}
