package ledger

import (
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// Pending is a message that has its place and cannot be seen yet. It must be
// given to Commit or Abandon, once.
type Pending struct {
	// Channel, ID, Time and Entry are those that the message will have.
	Channel string
	ID      wire.ID
	Time    time.Time
	Entry   *chanlog.Entry
	// Key is its idempotency key, to be stored with it; nil when it has none.
	Key *Key

	shard *shard
	done  []func(engine.Ack, error) // of the publisher, then of those who repeated it

	// Guarded by shard.mu.
	decided bool
	err     error // why it was abandoned
}

// Order is the first half of a publish: it gives p a place. Nobody sees the
// message until Commit, and messages of a shard become visible in their
// order, so an undecided one holds up those behind it.
//
// When later is false, that was all: ack repeats the outcome of the first
// publication with the same key, or err says why there is no place; done is
// not called. Else done will be called with the outcome, once, by whoever
// commits or abandons. pending is the message to store; it is nil when the
// first publication with the same key is still undecided: its outcome will be
// that of p.
func (l *Ledger) Order(p wire.Publication, done func(engine.Ack, error)) (pending *Pending, ack engine.Ack, later bool, err error) {
	now := time.Now()
	m := &Pending{Channel: p.Channel, Time: now, done: []func(engine.Ack, error){done}}
	if p.Key != "" {
		m.Key = &Key{Sum: sumOf(p.Channel, p.Key), At: now.UnixNano()}
	}
	s := &l.shards[Shard(p.Channel)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.Key != nil {
		if ack, known := s.repeat(m.Key.Sum, now); known {
			return nil, ack, false, nil
		}
		if first := s.held[m.Key.Sum]; first != nil {
			first.done = append(first.done, done)
			return nil, engine.Ack{}, true, nil
		}
		if !s.reserve(now) {
			return nil, engine.Ack{}, false, l.errKeys()
		}
	}
	s.seq++
	m.shard, m.ID = s, wire.ID{Epoch: l.epoch, Seq: s.seq}
	m.Entry = engine.NewMessage(p, m.ID, now)
	if m.Key != nil {
		m.Key.Seq = s.seq
		s.hold(m)
	}
	s.pending = append(s.pending, m)
	return m, engine.Ack{}, true, nil
}

// Commit makes messages visible that are stored: it appends them, hands them
// to the sink and then tells their publishers. What an earlier message of the
// same shard holds up follows when that is decided. Collect does not return
// their entries.
func (l *Ledger) Commit(batch []*Pending) { l.decide(batch, nil) }

// Abandon gives up messages that could not be stored. Their places stay
// empty, their keys are free again, and their publishers get err.
func (l *Ledger) Abandon(batch []*Pending, err *wire.Error) { l.decide(batch, err) }

func (l *Ledger) decide(batch []*Pending, err *wire.Error) {
	settled := make([]*Pending, 0, len(batch))
	for _, m := range batch {
		settled = append(settled, m.shard.decide(m, err)...)
	}
	if l.bytes.Load() > l.maxBytes {
		l.evict()
	}
	for _, m := range settled {
		m.tell()
	}
}

// decide notes the outcome of m and settles what stands at the head of the
// line and is decided.
func (s *shard) decide(m *Pending, err *wire.Error) (settled []*Pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.decided = true
	if err != nil {
		m.err = err
	}
	n := 0
	for ; n < len(s.pending) && s.pending[n].decided; n++ {
		s.settle(s.pending[n])
	}
	settled = s.pending[:n:n]
	s.pending = s.pending[n:]
	if len(s.pending) == 0 {
		s.pending = nil
	}
	return settled
}

// settle makes a message visible, or gives it up. The caller holds mu.
func (s *shard) settle(m *Pending) {
	if m.Key != nil {
		delete(s.held, m.Key.Sum)
	}
	if m.err != nil {
		// Its place is told to nobody: after a crash it may be given out again.
		if m.Key != nil {
			s.ledger.keys.Add(-1)
		}
		return
	}
	s.top = m.ID.Seq
	s.append(m.Channel, m.Entry, m.Key, true)
	if m.Key != nil {
		s.keys.add(*m.Key)
	}
}

// tell gives the publishers the outcome.
func (m *Pending) tell() {
	ack := engine.Ack{ID: m.ID, Time: m.Time}
	for i, done := range m.done {
		if m.err != nil {
			done(engine.Ack{}, m.err)
			continue
		}
		ack.Duplicate = i > 0
		done(ack, nil)
	}
}

// hold reserves a key for a message that is not decided. The caller holds mu.
func (s *shard) hold(m *Pending) {
	if s.held == nil {
		s.held = make(map[Sum]*Pending)
	}
	s.held[m.Key.Sum] = m
}
