package transport

import (
	"slices"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

// cursor is where a conn stopped in a channel's log: the first entry that it
// has yet to be sent, and the last one that it was offered.
type cursor struct {
	feed   *hub.Feed // nil when the conn is no member any more
	next   *chanlog.Entry
	last   *chanlog.Entry
	bytes  int    // from next to last, uncompressed
	replay int    // of these, at its front, what the client asked for by a place in the past
	lost   *place // set where entries before next were given up

	standing int32 // of a client of events in the channel, or noStanding
}

// place is where a gap begins.
type place struct {
	channel string
	after   wire.ID
}

// outbox is what a conn has yet to be sent, in this order.
type outbox struct {
	rest    []byte // of frames already begun; may be shared, never changed
	own     bool   // rest is not shared: the gate counts it
	replies []byte // own frames
	cursors []cursor
	final   []byte // the close frame, behind everything else

	lag    int  // bytes of all of the above but final
	replay int  // of these, what clients asked for by a place in the past
	taken  tick // when the socket last took something, or replay began

	events *events // of a client of events, who has an outbox all the time
}

// follow notes that the conn was offered entries first to last, of so many
// bytes, and is to be sent them later.
func (o *outbox) follow(f *hub.Feed, first, last *chanlog.Entry, bytes int) {
	o.lag += bytes
	if i := o.index(f); i >= 0 {
		o.cursors[i].last = last
		o.cursors[i].bytes += bytes
		return
	}
	f.Behind++
	k := cursor{feed: f, next: first, last: last, bytes: bytes, standing: noStanding}
	if o.events != nil {
		k.standing = int32(o.events.index(f))
	}
	o.cursors = append(o.cursors, k)
}

// resume notes that the conn is to be sent what it missed in the past.
func (o *outbox) resume(f *hub.Feed, b hub.Batch) {
	o.follow(f, b.First, b.Last, b.Bytes)
	o.cursors[len(o.cursors)-1].replay = b.Bytes
	o.replay += b.Bytes
}

// index returns where the cursor in a feed stands, or -1.
func (o *outbox) index(f *hub.Feed) int {
	return slices.IndexFunc(o.cursors, func(k cursor) bool { return k.feed == f })
}

// reached returns the place up to which the conn was sent all of the channel
// of the cursor at i, or was told of what is missing.
func (o *outbox) reached(i int) wire.ID {
	k := &o.cursors[i]
	if k.lost != nil {
		return k.lost.after
	}
	return k.feed.Before(k.next)
}

// drop gives up the cursor at i.
func (o *outbox) drop(i int) {
	o.lag -= o.cursors[i].bytes
	o.replay -= o.cursors[i].replay
	o.remove(i)
}

// remove takes out the cursor at i and returns its feed, or nil.
func (o *outbox) remove(i int) *hub.Feed {
	f := o.cursors[i].feed
	if f != nil {
		f.Behind--
	}
	o.cursors = slices.Delete(o.cursors, i, i+1)
	return f
}

// shrink lets go of what an empty outbox need not keep.
func (o *outbox) shrink() {
	if o.rest, o.replies = nil, nil; cap(o.cursors) > 4 {
		o.cursors = nil
	}
}

// spill appends to buf what the first cursor has yet to send, as far as buf
// has room, but one frame at least.
func (o *outbox) spill(buf []byte, frame func(*chanlog.Entry) []byte) []byte {
	k := o.cursors[0]
	for e := k.next; ; e = e.Next() {
		p := frame(e)
		switch {
		case len(buf) == 0 && len(p) >= cap(buf):
			return p // no copy of what fills a write by itself
		case len(buf)+len(p) > cap(buf):
			return buf
		}
		if buf = append(buf, p...); e == k.last {
			return buf
		}
	}
}

// spilled moves the first cursor behind the n bytes that were sent of it. It
// returns how many messages those began, and whether that was all.
func (o *outbox) spilled(n int, frame func(*chanlog.Entry) []byte) (messages int, done bool) {
	k := &o.cursors[0]
	for n > 0 {
		p := frame(k.next)
		o.passed(k)
		messages++
		if n < len(p) {
			o.rest = p[n:]
			o.lag += len(o.rest)
		}
		n -= min(n, len(p))
		if k.next == k.last {
			return messages, true
		}
		k.next = k.next.Next()
	}
	return messages, false
}

// passed notes that the entry at a cursor is on its way.
func (o *outbox) passed(k *cursor) {
	n := len(k.next.Frame)
	o.lag -= n
	k.bytes -= n
	replayed := min(n, k.replay)
	o.replay -= replayed
	k.replay -= replayed
}

// messages counts what lies before the cursors.
func (o *outbox) messages() (n int) {
	for _, k := range o.cursors {
		for e := k.next; ; e = e.Next() {
			if n++; e == k.last {
				break
			}
		}
	}
	return n
}
