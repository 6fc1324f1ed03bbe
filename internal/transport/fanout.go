package transport

import (
	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

// batch is what a feed's members are being offered.
type batch struct {
	feed *hub.Feed
	next *chanlog.Entry // first entry of the chunk under way; nil before the feed was taken
}

// queue is the batches under way, each to have its turn.
type queue struct {
	items []batch
	head  int
}

func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) push(b batch) {
	if q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, b)
}

func (q *queue) pop() batch {
	b := q.items[q.head]
	q.items[q.head] = batch{}
	q.head++
	return b
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
	for writes := maxWrites; writes > 0 && l.batches.len() > 0; {
		b := l.batches.pop()
		if !l.advance(&b, &writes) {
			l.batches.push(b)
		}
	}
	l.chunk.release()
}

// advance offers b's chunks to the members of its feed while writes last, and
// reports whether all were offered.
func (l *Loop) advance(b *batch, writes *int) (done bool) {
	f := b.feed
	if b.next == nil {
		if f.Last != nil {
			return false // an earlier batch of the feed stands in the queue
		}
		if !l.take(b) {
			return true
		}
	}
	for b.next != nil {
		l.chunk.fill(b.next, f.Last)
		if !l.walk(f, writes) {
			return false
		}
		if b.next = nil; l.chunk.last != f.Last {
			b.next = l.chunk.last.Next()
			f.Members.Again()
		}
	}
	f.Members.Finish()
	f.Last = nil
	l.settle(f)
	return true
}

// take begins a batch with what the feed has, and reports whether it had
// anything.
func (l *Loop) take(b *batch) bool {
	f := b.feed
	first, last, _ := f.Take()
	return l.begin(b, first, last)
}

// begin begins a batch with the entries from first to last, if there are any.
func (l *Loop) begin(b *batch, first, last *chanlog.Entry) bool {
	if first == nil {
		return false
	}
	f := b.feed
	l.taken(int(last.End-first.End) + len(first.Frame))
	b.next, f.Last = first, last
	f.Members.Begin()
	return true
}

// walk offers the chunk to the members that have not had it, and reports
// whether that was all of them.
func (l *Loop) walk(f *hub.Feed, writes *int) bool {
	sent, bytes := 0, 0
	for *writes > 0 {
		slot, ok := f.Members.Next()
		if !ok {
			break
		}
		c := l.table.at(slot)
		if c.state != open {
			continue
		}
		if c.out != nil {
			l.postpone(c, f)
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

// postpone leaves the chunk to a conn that has not been sent earlier things.
func (l *Loop) postpone(c *conn, f *hub.Feed) {
	c.out.follow(f, l.chunk.first, l.chunk.last, len(l.chunk.plain))
	l.checkLag(c)
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
			c.out.follow(f, e, l.chunk.last, int(l.chunk.last.End-e.End)+len(e.Frame))
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
	first, last, id := f.Take()
	if b := (batch{feed: f}); l.begin(&b, first, last) {
		l.batches.push(b)
	}
	return id
}
