package ledger

import (
	"context"
	"sync/atomic"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// Shards is how many shards a ledger has. It bounds how many publishers of
// different channels wait for each other, and is fixed as journals depend on
// it.
const Shards = 64

// The bounds of a ledger where Options says nothing.
const (
	DefaultMaxBytes = 256 << 20
	DefaultMaxKeys  = 1 << 20
)

// Options say how a ledger is set up.
type Options struct {
	// Epoch is the epoch of all ids.
	Epoch string
	// Rules say what each channel keeps.
	Rules Rules
	// MaxBytes bounds what all channels keep together, as HistoryBytes counts
	// it; 0 is DefaultMaxBytes.
	MaxBytes int64
	// MaxKeys bounds how many idempotency keys are remembered; 0 is
	// DefaultMaxKeys, which take 100 MB. Publications with a key are refused
	// with wire.Overloaded beyond it.
	MaxKeys int
	// Changed is called when something changes in a shard for the first time
	// since it was last collected. It is called under the shard's lock, must
	// not block and must not call the ledger. Where it is nil, changes are
	// not noted.
	Changed func(shard int)
	// Limited is whether shards give out no seq before SetLimit allows it.
	Limited bool
	// Unheard is whether the sink is spared what nobody listens to, as its
	// Listens says. Such messages are kept as they were published, and encoded
	// when somebody looks at them, which most never are.
	Unheard bool
}

// Ledger orders messages and keeps them. It has all the methods of an
// engine.Engine, so that one can embed it and replace what differs. All
// methods but those that restore may be called from any goroutine.
type Ledger struct {
	// Static after New.
	epoch    string
	sink     engine.Sink
	rules    []Rule
	match    Rules
	maxBytes int64
	maxKeys  int64
	changed  func(shard int)
	unheard  bool

	bytes  atomic.Int64
	keys   atomic.Int64
	oldest [Shards]atomic.Uint32 // when the oldest message of each shard was published, or earlier
	shards [Shards]shard
}

// New returns an empty ledger that delivers to sink.
func New(sink engine.Sink, o Options) *Ledger {
	l := &Ledger{epoch: o.Epoch, sink: sink, rules: o.Rules.all(), match: o.Rules, maxBytes: o.MaxBytes, maxKeys: int64(o.MaxKeys), changed: o.Changed, unheard: o.Unheard}
	if l.maxBytes == 0 {
		l.maxBytes = DefaultMaxBytes
	}
	if l.maxKeys == 0 {
		l.maxKeys = DefaultMaxKeys
	}
	for i := range l.shards {
		l.shards[i].init(l, i)
		if !o.Limited {
			l.shards[i].limit = unlimited
		}
	}
	return l
}

// Epoch returns the epoch of all ids.
func (l *Ledger) Epoch() string { return l.epoch }

// Publish implements engine.Engine. It never waits.
func (l *Ledger) Publish(_ context.Context, p wire.Publication) (engine.Ack, error) {
	ack, err := l.shards[Shard(p.Channel)].publish(&p)
	if l.bytes.Load() > l.maxBytes {
		l.evict()
	}
	return ack, err
}

// Submit implements engine.Engine. The outcome is always there at once.
func (l *Ledger) Submit(p wire.Publication, _ func(engine.Ack, error)) (ack engine.Ack, later bool, err error) {
	ack, err = l.Publish(context.Background(), p)
	return ack, false, err
}

// publish orders, keeps and delivers one message.
func (s *shard) publish(p *wire.Publication) (engine.Ack, error) {
	now := time.Now()
	var sum Sum
	if p.Key != "" {
		sum = sumOf(p.Channel, p.Key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.Key != "" {
		if ack, known := s.repeat(sum, now); known {
			return ack, nil
		}
	}
	if s.seq >= s.limit {
		return engine.Ack{}, ErrLimit
	}
	if p.Key != "" && !s.reserve(now) {
		return engine.Ack{}, s.ledger.errKeys()
	}
	s.seq++
	s.top = s.seq
	id := wire.ID{Epoch: s.ledger.epoch, Seq: s.seq}
	var key *Key
	if p.Key != "" {
		key = &Key{Sum: sum, Seq: s.seq, At: now.UnixNano()}
		s.remember(*key)
	}
	if s.unseen(p) {
		s.draft(p, id, now)
	} else {
		s.append(p.Channel, engine.NewMessage(*p, id, now), key, false)
	}
	return engine.Ack{ID: id, Time: now}, nil
}

// append puts a message into its channel's log, trims that and tells the sink
// and the tap. The caller holds mu. stored is whether a journal has the entry.
func (s *shard) append(channel string, e *chanlog.Entry, key *Key, stored bool) {
	r := s.records[channel]
	m := engine.Message{Channel: channel, Epoch: s.ledger.epoch, Entry: e}
	if r != nil {
		m.Prev = r.log.Last()
	} else {
		r = s.open(channel)
	}
	s.keep(r, e, stored)
	s.ledger.sink.Deliver(m)
	if s.tap != nil {
		s.pour(Poured{Shard: s.index, Channel: r.name, Entry: e, Key: key})
	}
}
