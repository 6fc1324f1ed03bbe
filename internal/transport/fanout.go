package transport

import (
	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

// queue is the feeds that have something to offer, each to have its turn.
type queue struct {
	items []*hub.Feed
	head  int
}

func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) push(f *hub.Feed) {
	if q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, f)
}

func (q *queue) pop() *hub.Feed {
	f := q.items[q.head]
	q.items[q.head] = nil
	q.head++
	return f
}

// chunk is a run of entries as the bytes of one write.
type chunk struct {
	first, last *chanlog.Entry
	count       int
	plain       []byte
	packed      []byte // as for sessions that agreed on compression; nil until one asks

	plainBuffer, packedBuffer []byte // reused from chunk to chunk
}

// offer moves members forward: each takes all that is new in its channels in
// as few writes as there are chunks. Feeds with many members take turns with
// the others.
func (l *Loop) offer() {
	for writes := maxWrites; writes > 0 && l.feeds.len() > 0; {
		f := l.feeds.pop()
		if !l.advance(f, &writes) {
			l.feeds.push(f)
		}
	}
	l.chunk.release()
}

// advance offers what f has to its members, chunk by chunk, while writes
// last, and reports whether all of it was.
func (l *Loop) advance(f *hub.Feed, writes *int) (done bool) {
	if f.Next == nil {
		b, _ := f.Take()
		if !l.begin(f, b) {
			return true
		}
	}
	for f.Next != nil {
		l.chunk.fill(f.Next, f.Last)
		if !l.walk(f, writes) {
			return false
		}
		if f.Next = nil; l.chunk.last != f.Last {
			f.Next = l.chunk.last.Next()
			f.Members.Again()
		}
	}
	f.Members.Finish()
	f.Last = nil
	l.settle(f)
	return true
}

// begin has f's members offered a batch, if it is not empty.
func (l *Loop) begin(f *hub.Feed, b hub.Batch) bool {
	if b.First == nil {
		return false
	}
	l.taken(b.Bytes)
	f.Next, f.Last = b.First, b.Last
	f.Members.Begin()
	return true
}

// walk offers the chunk to the members that have not had it, and reports
// whether that was all of them.
func (l *Loop) walk(f *hub.Feed, writes *int) bool {
	sent, bytes := 0, 0
	some := len(l.ahead) > 0
	for *writes > 0 {
		slot, ok := f.Members.Next()
		if !ok {
			break
		}
		c := l.table.at(slot)
		if c.state != open {
			continue
		}
		if some && l.known(c, f) {
			*writes--
			continue
		}
		if c.out != nil {
			*writes -= l.postpone(c, f)
			continue
		}
		*writes--
		p := l.chunk.bytes(c.session.Deflate)
		n, err := c.write(p)
		switch {
		case err != nil:
			l.doom(c)
		case n < len(p):
			sent += l.stop(c, f, n)
		default:
			sent += l.chunk.count
		}
		bytes += n
	}
	l.Delivered.Add(uint64(sent))
	l.Sent.Add(uint64(bytes))
	return *writes > 0
}

// postpone leaves the chunk to a conn that has not been sent earlier things,
// or whose client gets events: then it is sent at once if it can be. It
// returns how many writes that took.
func (l *Loop) postpone(c *conn, f *hub.Feed) (writes int) {
	c.out.follow(f, l.chunk.first, l.chunk.last, len(l.chunk.plain))
	if c.out.events != nil && !c.blocked() {
		l.flush(c)
		writes = 1
	}
	l.checkLag(c)
	return writes
}

// stop gives a conn an outbox as its socket took only n bytes of the chunk,
// and returns how many messages went out whole.
func (l *Loop) stop(c *conn, f *hub.Feed, n int) (whole int) {
	c.out = &outbox{}
	e := l.chunk.first
	for {
		frame := c.frame(e)
		if n < len(frame) {
			if n > 0 {
				c.out.rest = frame[n:]
				c.out.lag += len(c.out.rest)
				whole++ // it will be, before anything else
				if e == l.chunk.last {
					break
				}
				e = e.Next()
			}
			c.out.follow(f, e, l.chunk.last, bytesOf(e, l.chunk.last))
			break
		}
		n -= len(frame)
		whole++
		e = e.Next()
	}
	l.watchWrites(c)
	l.checkLag(c)
	return whole
}

// bytesOf counts the bytes of the frames from first to last.
func bytesOf(first, last *chanlog.Entry) (n int) {
	for e := first; ; e = e.Next() {
		if n += len(e.Frame); e == last {
			return n
		}
	}
}

// settle lets the log go when nobody on this loop has to walk on in it.
func (l *Loop) settle(f *hub.Feed) {
	if f.Behind == 0 && f.Last == nil {
		f.Settle()
	}
}

// frame returns the entry as this conn is sent it.
func (c *conn) frame(e *chanlog.Entry) []byte {
	if c.session.Deflate {
		return e.Deflated(deflated)
	}
	return e.Frame
}

// fill makes the chunk that begins with first and goes no further than last.
func (k *chunk) fill(first, last *chanlog.Entry) {
	k.first, k.last, k.count, k.packed = first, first, 1, nil
	if first == last || len(first.Frame) >= scratchSize {
		k.plain = first.Frame
		return
	}
	buf := append(k.plainBuffer[:0], first.Frame...)
	for e := first; e != last; {
		e = e.Next()
		if len(buf)+len(e.Frame) > scratchSize {
			break
		}
		buf = append(buf, e.Frame...)
		k.last = e
		k.count++
	}
	k.plain, k.plainBuffer = buf, buf
}

// release lets go of the entries: each leads to all later ones.
func (k *chunk) release() { k.first, k.last, k.plain, k.packed = nil, nil, nil, nil }

// bytes returns what a conn is sent.
func (k *chunk) bytes(deflate bool) []byte {
	if !deflate {
		return k.plain
	}
	if k.packed == nil {
		k.pack()
	}
	return k.packed
}

func (k *chunk) pack() {
	if k.count == 1 {
		k.packed = k.first.Deflated(deflated)
		return
	}
	buf := k.packedBuffer[:0]
	for e := k.first; ; e = e.Next() {
		buf = append(buf, e.Deflated(deflated)...)
		if e == k.last {
			break
		}
	}
	k.packed, k.packedBuffer = buf, buf
}

// place returns the place in a channel behind which a session that joins now
// gets every message. What was published before is begun to be offered to
// those who are members already.
func (l *Loop) place(f *hub.Feed) wire.ID {
	if f.Last != nil {
		return wire.ID{Epoch: f.Epoch(), Seq: f.Last.Seq}
	}
	b, id := f.Take()
	if l.begin(f, b) {
		l.feeds.push(f)
	}
	return id
}

// reached returns the place up to which the member of f at index, who is
// caught up, was offered everything.
func (l *Loop) reached(f *hub.Feed, index int32) wire.ID {
	if f.Last == nil {
		return f.Reached()
	}
	place := wire.ID{Epoch: f.Epoch(), Seq: f.Last.Seq}
	switch f.Members.Stage(index) {
	case hub.Visited:
		l.chunk.fill(f.Next, f.Last)
		place.Seq = l.chunk.last.Seq
		l.chunk.release()
	case hub.Due:
		return f.Before(f.Next)
	}
	return place
}
