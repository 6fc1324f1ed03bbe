package ledger

import (
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// State is what must be known of a shard at a start beside its channels.
type State struct {
	// Start is the first seq that will be given out. It must be higher than
	// any that may have been.
	Start uint64
	// Durable is the highest seq that was surely stored: every message with a
	// seq between Durable and Start may be lost. Start-1 says that nothing
	// is.
	Durable uint64
	// Forgotten is the newest Changes.Forgotten that was stored.
	Forgotten uint64
	// Notes are those of an orderly end; nil after any other.
	Notes *Notes
	// Keys are the idempotency keys, in the order in which they came. Those
	// that are too old are left out.
	Keys []Key
}

// Restore puts back what was stored of a channel: the seq up to which it held
// nothing, and its entries in their order. The ledger must not be in use yet;
// each channel may be restored once, before RestoreShard.
func (l *Ledger) Restore(channel string, gone uint64, entries []*chanlog.Entry) {
	s := &l.shards[Shard(channel)]
	r := s.open(channel)
	r.log.Skip(gone)
	for _, e := range entries {
		s.keep(r, e, true)
	}
	s.enqueue(r, uint32(time.Now().Unix())) // where it holds nothing
	s.seq = max(s.seq, r.log.Last())
}

// RestoreShard puts back the rest of a shard, after its channels. Where
// messages may be lost, each restored channel gets a gap entry with seq
// Start-1; a place below it in any other channel is answered as incomplete,
// both with reason restarted. It must be called for every shard that was
// ever used.
func (l *Ledger) RestoreShard(shard int, state State) {
	l.shards[shard].restore(state, time.Now())
	if l.bytes.Load() > l.maxBytes {
		l.evict()
	}
}

func (s *shard) restore(state State, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq = max(s.seq, state.Start-1)
	s.top = s.seq
	s.memo.below = state.Forgotten
	switch {
	case state.Durable+1 < state.Start:
		s.lost = state.Start - 1
		s.memo.below = max(s.memo.below, s.lost)
		s.bridge(now)
	case state.Notes != nil:
		s.memo.restore(*state.Notes)
	}
	for _, k := range state.Keys {
		if now.UnixNano()-k.At < int64(KeyAge) {
			s.keys.add(k)
			s.ledger.keys.Add(1)
		}
	}
	for s.expire(now) {
	}
}

// bridge appends to each channel that messages up to lost may be missing. The
// caller holds mu.
func (s *shard) bridge(now time.Time) {
	for _, r := range s.records {
		after := wire.ID{Epoch: s.ledger.epoch, Seq: r.log.Last()}
		s.keep(r, engine.NewGap(r.name, after, s.lost, wire.GapRestarted, now), false)
	}
}
