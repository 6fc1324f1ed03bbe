package journal

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// How much may wait for the disk. Publishes beyond it are refused.
const (
	maxWaiting      = 1 << 16
	maxWaitingBytes = 64 << 20
)

var errBehind = wire.Errorf(wire.Overloaded, "the journal's disk is behind; the message was not published, try again")

// gate holds publications whose shard may not give out a seq yet, those of a
// shard in their order.
type gate struct {
	mask atomic.Uint64 // shards with some, a bit each; written under mu

	mu sync.Mutex

	// Guarded by mu.
	queues [ledger.Shards][]*waiting
	count  int
	bytes  int
}

type waiting struct {
	p    wire.Publication
	done func(engine.Ack, error)
	ack  engine.Ack
	err  error
}

// holds reports whether publications of a shard wait: later ones must queue
// behind them.
func (g *gate) holds(shard int) bool { return g.mask.Load()&(1<<shard) != 0 }

// wait queues p until its shard has room.
func (e *Engine) wait(p wire.Publication, done func(engine.Ack, error)) (*waiting, error) {
	g := &e.gate
	p.Data = bytes.Clone(p.Data) // the caller's only during the call
	w := &waiting{p: p, done: done}
	shard := ledger.Shard(p.Channel)
	g.mu.Lock()
	defer g.mu.Unlock()
	if refusal := e.refusing.Load(); refusal != nil {
		return nil, refusal
	}
	if g.count >= maxWaiting || g.bytes+len(p.Data) > maxWaitingBytes {
		return nil, errBehind
	}
	g.queues[shard] = append(g.queues[shard], w)
	g.count++
	g.bytes += len(p.Data)
	g.mask.Or(1 << shard)
	e.wake()
	return w, nil
}

// withdraw takes a publication back, unless it has its outcome already.
func (g *gate) withdraw(w *waiting) bool {
	shard := ledger.Shard(w.p.Channel)
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.queues[shard], w)
	if i < 0 {
		return false
	}
	g.queues[shard] = slices.Delete(g.queues[shard], i, i+1)
	g.left(shard, w)
	return true
}

// left notes that w has left its queue. The caller holds mu.
func (g *gate) left(shard int, w *waiting) {
	g.count--
	g.bytes -= len(w.p.Data)
	if len(g.queues[shard]) == 0 {
		g.queues[shard] = nil
		g.mask.And(^uint64(1 << shard))
	}
}

// admit publishes what waits, as far as shards have room.
func (e *Engine) admit() {
	if e.gate.mask.Load() == 0 {
		return
	}
	for shard := range ledger.Shards {
		for _, w := range e.admitShard(shard) {
			w.done(w.ack, w.err)
		}
	}
}

func (e *Engine) admitShard(shard int) (settled []*waiting) {
	g := &e.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	queue := g.queues[shard]
	n := 0
	for ; n < len(queue); n++ {
		w := queue[n]
		if w.ack, w.err = e.Ledger.Publish(context.Background(), w.p); w.err == ledger.ErrLimit {
			break
		}
	}
	g.queues[shard] = queue[n:]
	for _, w := range queue[:n] {
		g.left(shard, w)
	}
	return queue[:n:n]
}

// turnAway refuses what waits, and from now on everything, with err.
func (e *Engine) turnAway(err *wire.Error) {
	g := &e.gate
	g.mu.Lock()
	e.refusing.Store(err)
	var all []*waiting
	for shard, queue := range g.queues {
		all = append(all, queue...)
		g.queues[shard] = nil
	}
	g.count, g.bytes = 0, 0
	g.mask.Store(0)
	g.mu.Unlock()
	for _, w := range all {
		w.done(engine.Ack{}, err)
	}
}
