package journal

import (
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine/ledger"
)

// book is what the writer knows of the file: what is in it, and what may be
// deleted. It is changed when a transaction is committed, but for what may be
// deleted: a transaction that fails takes nothing back from that.
type book struct {
	places map[string]*place
	heads  heads
	dead   []deadRecord // records of messages that retention dropped
	since  time.Time    // when the oldest of dead was dropped
	keys   []keyRecord  // in the file, by time
}

// deadRecord is a record that may be deleted.
type deadRecord struct {
	pos   uint64
	shard int
}

// draft is a transaction being made.
type draft struct {
	book    *book
	items   []item
	arena   []byte // keys and values of items
	heads   heads
	added   []addedMark
	keys    []keyRecord
	deleted int // how many of book.dead it deletes
	expired int // how many of book.keys it deletes
}

type addedMark struct {
	place *place
	mark  mark
}

func newDraft(b *book) *draft { return &draft{book: b, heads: b.heads} }

// reuse empties a draft that was settled, for another one.
func (d *draft) reuse() {
	clear(d.items)
	clear(d.added)
	if cap(d.arena) > 2*maxDraft {
		d.arena = nil
	}
	*d = draft{book: d.book, heads: d.book.heads, items: d.items[:0], arena: d.arena[:0], added: d.added[:0], keys: d.keys[:0]}
}

// maxDraft is from how many bytes on a transaction takes in no further shard.
const maxDraft = 32 << 20

func (d *draft) full() bool { return len(d.arena) >= maxDraft }

// put adds an item; key and value are taken from the arena, where they stand
// behind from, the key first.
func (d *draft) put(bucket []byte, from, keyLen int) {
	b := d.arena[from:]
	d.items = append(d.items, item{bucket, b[:keyLen:keyLen], b[keyLen:len(b):len(b)]})
}

// delete deletes the key that stands in the arena behind from.
func (d *draft) delete(bucket []byte, from int) {
	b := d.arena[from:]
	d.items = append(d.items, item{bucket: bucket, key: b[:len(b):len(b)]})
}

// changes takes in what happened in a shard.
func (d *draft) changes(shard int, c *ledger.Changes) {
	h := &d.heads.shards[shard]
	h.below = max(h.below, c.Forgotten)
	for i := range c.Channels {
		d.change(shard, &c.Channels[i])
	}
	for i := range c.Keys {
		d.key(shard, &c.Keys[i])
	}
}

func (d *draft) change(shard int, c *ledger.Change) {
	b := d.book
	p := b.places[c.Channel]
	if p != nil {
		b.drop(shard, p, c.Gone)
	}
	if c.First == nil {
		if p == nil || len(p.marks) == 0 && p.staged == 0 {
			delete(b.places, c.Channel)
			h := &d.heads.shards[shard]
			h.below = max(h.below, c.Gone)
		}
		return
	}
	for e := c.First; e != nil && e.Seq <= c.Last.Seq; e = e.Next() {
		if p == nil || e.Seq > p.newest() {
			p = d.entry(shard, c.Channel, p, e, c.Gone)
		}
	}
}

// drop notes that the entries of a place up to gone may be deleted.
func (b *book) drop(shard int, p *place, gone uint64) {
	n := 0
	for n < len(p.marks) && p.marks[n].seq <= gone {
		if len(b.dead) == 0 {
			b.since = time.Now()
		}
		b.dead = append(b.dead, deadRecord{p.marks[n].pos, shard})
		n++
	}
	if p.marks = p.marks[n:]; len(p.marks) == 0 {
		p.marks = nil
	}
}

// entry adds one entry of a channel. gone is the seq up to which the channel
// holds nothing.
func (d *draft) entry(shard int, channel string, p *place, e *chanlog.Entry, gone uint64) *place {
	if p == nil {
		p = &place{}
		d.book.places[channel] = p
	}
	r := record{pos: d.heads.next, seq: e.Seq, prev: p.newest(), at: e.At, kind: e.Kind, channel: channel, json: e.JSON()}
	if r.prev == 0 || r.prev < gone {
		r.first, r.prev = true, gone
	}
	d.heads.next++
	h := &d.heads.shards[shard]
	h.count++
	h.sum += r.pos
	from := len(d.arena)
	d.arena = appendRecord(appendPosition(d.arena, r.pos), &r)
	d.put(bucketMessages, from, 8)
	p.staged = e.Seq
	d.added = append(d.added, addedMark{p, mark{e.Seq, r.pos}})
	return p
}

func (d *draft) key(shard int, k *ledger.Key) {
	r := keyRecord{shard, *k}
	from := len(d.arena)
	d.arena = appendKeyPlace(d.arena, k)
	d.arena = appendKeyValue(d.arena, d.arena[from:], &r)
	d.put(bucketKeys, from, keyPlace)
	d.keys = append(d.keys, r)
}

// notes writes what a resting shard knows of channels that hold nothing.
func (d *draft) notes(shard int, n ledger.Notes) {
	name := string([]byte{byte(shard)})
	d.items = append(d.items, item{bucketNotes, []byte(name), encodeNotes(n, name)})
}

// forgetNotes deletes them: they will not be true any more.
func (d *draft) forgetNotes(shard int) {
	d.items = append(d.items, item{bucket: bucketNotes, key: []byte{byte(shard)}})
}

// How much may be waiting to be deleted before it is, and how much goes at
// once. Records are deleted in groups because what is dropped together stood
// far apart when it was written: each deletion rewrites a page.
const (
	maxDead      = 4096
	deadShare    = 4 // one dead record for so many in the file
	deadAge      = 10 * time.Second
	deadAtOnce   = 16384
	expireAtOnce = 4096
)

// sweep deletes records that retention dropped, when there are many or they
// have waited long, and keys that are too old.
func (d *draft) sweep(now time.Time) {
	b := d.book
	n := len(b.dead)
	stored := uint64(0)
	for i := range d.heads.shards {
		stored += d.heads.shards[i].count
	}
	if n > 0 && (n > max(maxDead, int(stored/deadShare)) || now.Sub(b.since) > deadAge) {
		for _, r := range b.dead[:min(n, deadAtOnce)] {
			from := len(d.arena)
			d.arena = appendPosition(d.arena, r.pos)
			d.delete(bucketMessages, from)
			h := &d.heads.shards[r.shard]
			h.count--
			h.sum -= r.pos
			d.deleted++
		}
	}
	until := now.Add(-ledger.KeyAge).UnixNano()
	for d.expired < min(len(b.keys), expireAtOnce) && b.keys[d.expired].key.At < until {
		from := len(d.arena)
		d.arena = appendKeyPlace(d.arena, &b.keys[d.expired].key)
		d.delete(bucketKeys, from)
		d.expired++
	}
}

// seal adds the heads, last of all.
func (d *draft) seal() {
	d.items = append(d.items, item{bucketHead, []byte(headShards), d.heads.encode()})
}

// done notes that the transaction is in the file.
func (d *draft) done() {
	b := d.book
	b.heads = d.heads
	for _, a := range d.added {
		a.place.last, a.place.staged = a.mark.seq, 0
		a.place.marks = append(a.place.marks, a.mark)
	}
	if b.dead = b.dead[d.deleted:]; len(b.dead) == 0 {
		b.dead = nil
	}
	if b.keys = append(b.keys[d.expired:], d.keys...); len(b.keys) == 0 {
		b.keys = nil
	}
}

// undone notes that it is not.
func (d *draft) undone() {
	for _, a := range d.added {
		a.place.staged = 0
	}
}
