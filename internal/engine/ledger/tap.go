package ledger

import "holdfast.dev/holdfast/internal/chanlog"

// Poured is one thing that a Tap is told.
type Poured struct {
	Shard   int
	Channel string
	// Entry was appended to the channel, behind all that was before it. Nil
	// says that much changed at once and a new Snapshot has to be taken.
	Entry *chanlog.Entry
	// Key is the message's idempotency key; nil when it has none.
	Key *Key
}

// Tap is told everything that a shard appends, in order. It is called under
// the shard's lock, must not block and must not call the ledger. When it
// returns false, or was told of an entry that is nil, it is told nothing more
// until it is given to Snapshot again.
type Tap func(Poured) (more bool)

// pour tells the tap, which there must be. The caller holds mu.
func (s *shard) pour(p Poured) {
	if !s.tap(p) || p.Entry == nil {
		s.tap = nil
	}
}

// Untap ends the taps of all shards.
func (l *Ledger) Untap() {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		s.tap = nil
		s.mu.Unlock()
	}
}
