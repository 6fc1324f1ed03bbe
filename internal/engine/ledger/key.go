package ledger

import (
	"crypto/sha256"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// KeyAge is how long an idempotency key is remembered: the repeat of a
// publication within it is answered as the first was.
const KeyAge = 2 * time.Minute

// Sum stands for a channel and an idempotency key: the beginning of their
// SHA-256, so that nobody can find two that are taken for one.
type Sum [16]byte

// Key is an idempotency key that is remembered, and what it was used for.
type Key struct {
	Sum Sum
	Seq uint64
	At  int64 // Unix nanoseconds
}

func sumOf(channel, key string) Sum {
	var room [wire.MaxChannelName + 1 + wire.MaxKey]byte
	b := append(room[:0], channel...)
	b = append(b, 0)
	b = append(b, key...)
	sum := sha256.Sum256(b)
	return Sum(sum[:])
}

// keyring remembers keys. It is guarded by its shard's mu.
type keyring struct {
	known map[Sum]place
	queue []Key // in the order of their times, for expiry; those before head are gone
	head  int
}

// place is where a message stands and when it was published.
type place struct {
	seq uint64
	at  int64
}

// repeat returns the answer to a publication whose key was used before. The
// caller holds mu.
func (s *shard) repeat(sum Sum, now time.Time) (engine.Ack, bool) {
	p, ok := s.keys.known[sum]
	if !ok || now.UnixNano()-p.at >= int64(KeyAge) {
		return engine.Ack{}, false
	}
	return engine.Ack{ID: wire.ID{Epoch: s.ledger.epoch, Seq: p.seq}, Time: time.Unix(0, p.at), Duplicate: true}, true
}

// reserve makes room for one more key; it reports false when there is none.
// The caller holds mu.
func (s *shard) reserve(now time.Time) bool {
	s.expireKeys(now)
	if s.ledger.keys.Add(1) > s.ledger.maxKeys {
		s.ledger.keys.Add(-1)
		return false
	}
	return true
}

// remember keeps a key for which there is room. The caller holds mu.
func (s *shard) remember(k Key) {
	s.keys.add(k)
	if s.noting {
		s.changes.keys = append(s.changes.keys, k)
		s.change()
	}
}

func (r *keyring) add(k Key) {
	if r.known == nil {
		r.known = make(map[Sum]place)
	}
	r.known[k.Sum] = place{seq: k.Seq, at: k.At}
	r.queue = append(r.queue, k)
}

// expireKeys forgets the keys that are too old. The caller holds mu.
func (s *shard) expireKeys(now time.Time) {
	r := &s.keys
	until := now.UnixNano() - int64(KeyAge)
	for r.head < len(r.queue) && r.queue[r.head].At <= until {
		k := &r.queue[r.head]
		if p := r.known[k.Sum]; p.seq == k.Seq {
			delete(r.known, k.Sum)
		}
		r.head++
		s.ledger.keys.Add(-1)
	}
	switch {
	case r.head == len(r.queue):
		if r.head > 0 {
			*r = keyring{} // maps do not shrink
		}
	case r.head > 64 && r.head > len(r.queue)/2:
		r.queue = append([]Key(nil), r.queue[r.head:]...)
		r.head = 0
	}
}

func (l *Ledger) errKeys() *wire.Error {
	return wire.Errorf(wire.Overloaded, "%d idempotency keys are remembered, the most there may be within %v; the message was not published: publish it without a key, or later", l.maxKeys, KeyAge)
}
