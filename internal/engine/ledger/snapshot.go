package ledger

import "holdfast.dev/holdfast/internal/chanlog"

// Snapshot is what a shard knows at one instant, or what it came to know
// since another.
type Snapshot struct {
	Shard int
	// Since is the place behind which this says everything, 0 for all.
	Since uint64
	// Seq is the highest seq given out, Top that of the newest message that
	// can be seen. They differ while messages wait to be stored.
	Seq, Top uint64
	// Lost is the seq up to which a restart may have lost messages.
	Lost uint64
	// Channels are those with a record in which something happened behind
	// Since.
	Channels []Part
	// Notes are what is known of channels without a record.
	Notes Notes
	// Keys are the idempotency keys of messages behind Since, in the order in
	// which they came.
	Keys []Key
}

// Part is what a snapshot has of one channel.
type Part struct {
	Channel string
	// Gone is the seq up to which nothing is held any more.
	Gone uint64
	// First to Last are the entries that are held, linked by Next; nil when
	// there are none. They can be walked without a lock, while Seq is no
	// higher than that of Last.
	First, Last *chanlog.Entry
}

// Snapshot returns what a shard knows behind since; 0 is all. From the same
// instant on, tap is told what comes then, so that nothing lies between and
// nothing comes twice; nil is for nobody, and leaves another tap as it is.
func (l *Ledger) Snapshot(shard int, since uint64, tap Tap) Snapshot {
	s := &l.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if tap != nil {
		s.tap = tap
	}
	p := Snapshot{Shard: shard, Since: since, Seq: s.seq, Top: s.top, Lost: s.lost, Notes: s.notes()}
	if since == 0 {
		p.Channels = make([]Part, 0, len(s.records))
	}
	for _, r := range s.records {
		if r.log.Last() <= since && r.log.Gone() <= since && since > 0 {
			continue
		}
		part := Part{Channel: r.name, Gone: r.log.Gone()}
		if first, _ := r.log.After(since); first != nil {
			part.First, part.Last = first, r.log.Tail()
		}
		p.Channels = append(p.Channels, part)
	}
	for _, k := range s.keys.queue[s.keys.head:] {
		if k.Seq > since {
			p.Keys = append(p.Keys, k)
		}
	}
	return p
}

// Top returns the seq of the newest message of a shard that can be seen.
func (l *Ledger) Top(shard int) uint64 {
	s := &l.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.top
}
