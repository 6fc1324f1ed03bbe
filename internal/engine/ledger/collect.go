package ledger

import "holdfast.dev/holdfast/internal/chanlog"

// Changes are what happened in one shard since it was last collected.
type Changes struct {
	// Seq is the highest seq given out: every later one is higher.
	Seq uint64
	// Forgotten is the highest seq of a message that is gone together with
	// its channel's record.
	Forgotten uint64
	// Channels are those that changed. One stands twice when its record was
	// given back and made anew; the later counts on top of the earlier.
	Channels []Change
	// Keys are the idempotency keys that came, without those of Order.
	Keys []Key
}

// Change is what happened in one channel.
type Change struct {
	Channel string
	// First to Last are the entries that came and are still held, linked by
	// Next; nil when there are none. They can be walked without a lock, while
	// Seq is no higher than that of Last.
	First, Last *chanlog.Entry
	// Gone is the seq up to which nothing is held any more.
	Gone uint64
	// Forgotten is whether the record was given back: nothing is held, and
	// the ledger will say of this channel what it says of all it has not
	// heard of.
	Forgotten bool
}

// changes are what a shard notes for Collect.
type changes struct {
	records []*record
	keys    []Key
	told    bool // Changed was called
}

// Collect returns what changed in a shard and forgets that it did. Entries
// that came and went in between are not in it.
func (l *Ledger) Collect(shard int) Changes {
	s := &l.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	c := Changes{Seq: s.seq, Forgotten: s.memo.top(), Keys: s.changes.keys}
	if n := len(s.changes.records); n > 0 {
		c.Channels = make([]Change, 0, n)
	}
	for _, r := range s.changes.records {
		change := Change{Channel: r.name, Gone: r.log.Gone(), Forgotten: r.gone}
		if r.fresh != 0 {
			change.First, _ = r.log.After(r.fresh - 1)
			change.Last = r.log.Tail()
		}
		r.fresh, r.dirty = 0, false
		c.Channels = append(c.Channels, change)
	}
	clear(s.changes.records)
	s.changes = changes{records: s.changes.records[:0]}
	return c
}

// CollectAll is Collect as if everything that a shard holds had just come:
// for a journal that has to begin anew.
func (l *Ledger) CollectAll(shard int) Changes {
	s := &l.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	c := Changes{Seq: s.seq, Forgotten: s.memo.top(), Keys: append([]Key(nil), s.keys.queue[s.keys.head:]...)}
	c.Channels = make([]Change, 0, len(s.records))
	for _, r := range s.records {
		r.fresh, r.dirty = 0, false
		c.Channels = append(c.Channels, Change{Channel: r.name, First: r.log.Oldest(), Last: r.log.Tail(), Gone: r.log.Gone()})
	}
	clear(s.changes.records)
	s.changes = changes{records: s.changes.records[:0]}
	return c
}

// touch notes that a record changed. The caller holds mu.
func (s *shard) touch(r *record) {
	if r.dirty || !s.noting {
		return
	}
	r.dirty = true
	s.changes.records = append(s.changes.records, r)
	s.change()
}

// change says that something changed. The caller holds mu.
func (s *shard) change() {
	if !s.changes.told {
		s.changes.told = true
		s.ledger.changed(s.index)
	}
}
