package ledger

import (
	"math"

	"holdfast.dev/holdfast/internal/wire"
)

// ErrLimit is what Publish returns when a shard may give out no further seq
// before SetLimit. Nothing was published.
var ErrLimit = wire.Errorf(wire.Unavailable, "no id can be given to the message now; it was not published, try again")

const unlimited = math.MaxUint64

// SetLimit says up to which seq Publish may give them out. It has no effect
// on Order.
func (l *Ledger) SetLimit(shard int, seq uint64) {
	s := &l.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = seq
}

// Rest sets the limit of a shard to the seq that it has come to, which it
// returns, unless there is something to collect.
func (l *Ledger) Rest(shard int) (seq uint64, rests bool) {
	s := &l.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes.told {
		return 0, false
	}
	s.limit = s.seq
	return s.seq, true
}

// Floor returns the seq up to which messages of a channel may be gone.
func (l *Ledger) Floor(channel string) uint64 {
	s := &l.shards[Shard(channel)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.records[channel]; r != nil {
		return r.log.Gone()
	}
	return s.memo.floor(hash(channel))
}
