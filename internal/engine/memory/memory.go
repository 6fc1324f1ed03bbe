// Package memory is the engine that keeps nothing but the order: seqs live
// in this process, each start is a new epoch.
package memory

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// shards bounds how many publishers of different channels wait for each
// other.
const shards = 64

// Engine implements engine.Engine.
type Engine struct {
	// Static after New.
	epoch string
	seed  maphash.Seed
	sink  engine.Sink

	shards [shards]shard
}

// shard counts the messages of the channels that hash to it. Seqs of a
// channel rise and have holes; a channel needs no state of its own.
type shard struct {
	mu  sync.Mutex
	seq uint64
	_   [48]byte // one shard a cache line
}

// New returns an engine with a fresh epoch that delivers to sink.
func New(sink engine.Sink) *Engine {
	return &Engine{epoch: wire.NewEpoch(), seed: maphash.MakeSeed(), sink: sink}
}

// Publish implements engine.Engine.
func (e *Engine) Publish(_ context.Context, p wire.Publication) (engine.Message, error) {
	s := e.shard(p.Channel)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	m := engine.Message{Publication: p, ID: wire.ID{Epoch: e.epoch, Seq: s.seq}, Time: time.Now()}
	e.sink.Deliver(m)
	return m, nil
}

// Top implements engine.Engine.
func (e *Engine) Top(channel string) wire.ID {
	s := e.shard(channel)
	s.mu.Lock()
	defer s.mu.Unlock()
	return wire.ID{Epoch: e.epoch, Seq: s.seq}
}

func (e *Engine) shard(channel string) *shard {
	return &e.shards[maphash.String(e.seed, channel)%shards]
}
