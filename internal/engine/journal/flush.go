package journal

import (
	"errors"
	"math/bits"
	"time"

	"holdfast.dev/holdfast/internal/engine/ledger"
)

// block is how many seqs a shard may be ahead of the file; a new one is taken
// when half is used.
const block = 1 << 20

// restAfter is how long nothing happens in a shard before it takes its
// ceiling back.
const restAfter = time.Second

// flush brings the file up to date: with extra, with what changed, with the
// messages of list, with the ceilings of shards that publications wait for.
// The caller holds writing. On failure what it collected is found again by
// the next call; list is the caller's.
func (e *Engine) flush(now time.Time, extra []item, list []*ledger.Pending) error {
	if e.store.doubt {
		if err := e.rewrite(); err != nil {
			return err
		}
	}
	d := e.draft
	d.reuse()
	d.items = append(d.items, extra...)
	if err := e.gather(d, now); err != nil {
		return err
	}
	for _, m := range list {
		e.pending(d, m, now)
	}
	e.openShards(d, now)
	e.restShards(d, now)
	d.sweep(now)
	if err := e.commit(d, 0); err != nil {
		return err
	}
	e.behind = false
	e.grantWaiting()
	return nil
}

// gather takes what changed into a draft, and commits that when it is full.
func (e *Engine) gather(d *draft, now time.Time) error {
	if e.sync && !e.behind && now.Sub(e.gathered) < dropInterval {
		return nil
	}
	e.gathered = now
	dirty := e.dirty.Swap(0)
	var seen map[string]bool
	if e.behind {
		dirty, seen = ^uint64(0), make(map[string]bool, len(e.book.places))
	}
	for left := dirty; left != 0; left &= left - 1 {
		e.collect(d, bits.TrailingZeros64(left), now, seen)
		if d.full() {
			if err := e.commit(d, left&(left-1)); err != nil {
				return err
			}
		}
	}
	if seen != nil {
		d.unseen(seen)
	}
	return nil
}

// pending takes in a message that nobody sees yet.
func (e *Engine) pending(d *draft, m *ledger.Pending, now time.Time) {
	shard := ledger.Shard(m.Channel)
	h := &d.heads.shards[shard]
	if h.condition == resting {
		d.forgetNotes(shard)
		h.condition = covered
	}
	e.busy[shard] = now
	h.last = max(h.last, m.ID.Seq)
	h.ceiling = h.last
	if m.Key != nil {
		d.key(shard, m.Key)
	}
	p := d.book.places[m.Channel]
	switch {
	case e.rules.For(m.Channel).Messages == 0:
		h.below = max(h.below, m.ID.Seq)
	case p == nil:
		d.entry(shard, m.Channel, nil, m.Entry, e.Floor(m.Channel))
	default:
		d.entry(shard, m.Channel, p, m.Entry, 0)
	}
}

// commit makes a draft durable and lets shards use what it gives them. left
// are shards that are still to be collected.
func (e *Engine) commit(d *draft, left uint64) error {
	if len(d.items) == 0 && d.heads == d.book.heads {
		return nil
	}
	d.seal()
	if err := e.store.commit(d.items); err != nil {
		d.undone()
		e.behind = true
		e.dirty.Or(left)
		return err
	}
	e.grant(&d.heads, &d.book.heads)
	d.done()
	d.reuse()
	return nil
}

// grant raises the limits of shards whose ceilings rose.
func (e *Engine) grant(now, before *heads) {
	for i := range now.shards {
		if h := &now.shards[i]; h.condition == ahead && h.ceiling != before.shards[i].ceiling {
			e.SetLimit(i, h.ceiling)
		}
	}
}

// grantWaiting lets shards that publications wait for use their ceilings.
func (e *Engine) grantWaiting() {
	for left := e.gate.mask.Load(); left != 0; left &= left - 1 {
		shard := bits.TrailingZeros64(left)
		if h := &e.book.heads.shards[shard]; h.condition == ahead {
			e.SetLimit(shard, h.ceiling)
		}
	}
}

// collect takes what changed in a shard into a draft.
func (e *Engine) collect(d *draft, shard int, now time.Time, seen map[string]bool) {
	var c ledger.Changes
	if seen != nil {
		c = e.CollectAll(shard)
		for i := range c.Channels {
			seen[c.Channels[i].Channel] = true
		}
	} else {
		c = e.Collect(shard)
	}
	d.changes(shard, &c)
	h := &d.heads.shards[shard]
	switch h.condition {
	case ahead:
		if c.Seq != h.last {
			e.busy[shard] = now
		}
		h.last = c.Seq
		if h.ceiling < c.Seq+block/2 {
			h.ceiling = c.Seq + block
		}
	case resting:
		// What holds nothing any more has to be in the notes.
		if len(c.Channels) > 0 {
			d.notes(shard, e.Notes(shard))
		}
	}
}

// unseen drops the channels that the ledger has forgotten.
func (d *draft) unseen(seen map[string]bool) {
	for channel, p := range d.book.places {
		if !seen[channel] {
			d.change(ledger.Shard(channel), &ledger.Change{Channel: channel, Gone: p.last, Forgotten: true})
		}
	}
}

// openShards gives shards that publications wait for a ceiling to go up to.
func (e *Engine) openShards(d *draft, now time.Time) {
	for left := e.gate.mask.Load(); left != 0; left &= left - 1 {
		shard := bits.TrailingZeros64(left)
		h := &d.heads.shards[shard]
		if h.condition == resting {
			d.forgetNotes(shard)
			h.condition = ahead
		}
		h.ceiling = max(h.ceiling, h.last+block)
		e.busy[shard] = now
	}
}

// restShards takes back the ceilings of shards in which nothing happens.
func (e *Engine) restShards(d *draft, now time.Time) {
	if now.Sub(e.swept) < restAfter/4 {
		return
	}
	e.swept = now
	for shard := range d.heads.shards {
		h := &d.heads.shards[shard]
		if h.condition == resting || now.Sub(e.busy[shard]) < restAfter {
			continue
		}
		e.rest(d, shard)
	}
}

// rest lets a shard rest, unless something has just happened there.
func (e *Engine) rest(d *draft, shard int) bool {
	seq, rests := e.Ledger.Rest(shard)
	if !rests {
		return false
	}
	h := &d.heads.shards[shard]
	if h.condition == ahead {
		h.last = seq
	}
	h.condition, h.ceiling = resting, h.last
	d.notes(shard, e.Notes(shard))
	return true
}

// rewrite writes the file anew from memory.
func (e *Engine) rewrite() error {
	b := book{places: make(map[string]*place), heads: e.book.heads}
	b.heads.next = 1
	for i := range b.heads.shards {
		b.heads.shards[i].count, b.heads.shards[i].sum = 0, 0
	}
	e.dirty.Store(0)
	e.behind = true
	d := newDraft(&b)
	err := e.store.rewrite(func(put func(item) error) error {
		for shard := range ledger.Shards {
			c := e.CollectAll(shard)
			d.changes(shard, &c)
			h := &d.heads.shards[shard]
			switch h.condition {
			case ahead:
				h.last = c.Seq
			case resting:
				d.notes(shard, e.Notes(shard))
			}
			if err := d.pour(put); err != nil {
				return err
			}
		}
		for name, text := range e.state {
			d.items = append(d.items, item{bucketState, []byte(name), seal(append([]byte{}, text...), name)})
		}
		d.items = append(d.items,
			item{bucketHead, []byte(headFormat), seal([]byte(format), headFormat)},
			item{bucketHead, []byte(headEpoch), seal([]byte(e.Epoch()), headEpoch)})
		d.seal()
		return d.pour(put)
	})
	if err != nil {
		return err
	}
	e.book, e.behind = b, false
	e.draft = newDraft(&e.book)
	return nil
}

// pour hands the items of a draft to put and takes them for done.
func (d *draft) pour(put func(item) error) error {
	for _, i := range d.items {
		if err := put(i); err != nil {
			return err
		}
	}
	d.done()
	d.reuse()
	return nil
}

// cause returns what lies behind a failure, without the path.
func cause(err error) error {
	if f, ok := errors.AsType[*failure](err); ok {
		err = f.cause
	}
	return reason(err)
}
