// Package hub holds this node's channels and who listens to them.
//
// A publisher calls Publish; the engine orders the message and hands it back
// through Deliver, which appends it to the channel's log and tells every
// Feed, one for each listener with subscribers there. A listener, one event
// loop, takes what is new when it gets to it and writes it to its sessions.
//
// The hub knows no HTTP, no sockets and no engine's inside.
package hub

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

const shards = 64

// Hub is safe for use by many goroutines.
//
// Locks, in the order in which they are taken: engine, shard, channel,
// listener. Nothing blocks under any of them.
type Hub struct {
	// Static after Use.
	engine    engine.Engine
	seed      maphash.Seed
	listeners []Listener

	refusing  atomic.Pointer[wire.Error]
	repairs   repairs
	published atomic.Uint64
	members   atomic.Int64 // over all channels
	shards    [shards]shard
}

type shard struct {
	mu       sync.RWMutex
	channels map[string]*Channel
	locals   int // of these, the node's own
}

// New returns a hub without an engine: Use must follow before anything else.
func New() *Hub {
	h := &Hub{seed: maphash.MakeSeed(), repairs: repairs{due: make(chan struct{}, 1)}}
	for i := range h.shards {
		h.shards[i].channels = make(map[string]*Channel)
	}
	return h
}

// Use sets the engine that orders messages and the listeners whose backlog
// slows publishers down. It must be called once, before the hub is used.
func (h *Hub) Use(e engine.Engine, listeners []Listener) {
	h.engine, h.listeners = e, listeners
}

// Refuse makes every later publish fail with err.
func (h *Hub) Refuse(err *wire.Error) { h.refusing.Store(err) }

// Published returns how many messages were published here.
func (h *Hub) Published() uint64 { return h.published.Load() }

// Members returns how many subscriptions there are, those to broadcast among
// them.
func (h *Hub) Members() int { return int(h.members.Load()) }

// Subscribers returns how many sessions of this node listen to a channel.
func (h *Hub) Subscribers(channel string) int {
	if c := h.find(channel); c != nil {
		return int(c.members.Load())
	}
	return 0
}

// Join makes l a listener of a channel and returns its feed. Each Join is
// undone by Leave.
func (h *Hub) Join(name string, l Listener) *Feed {
	s := h.shard(name)
	s.mu.Lock()
	c := s.channels[name]
	if c == nil {
		c = &Channel{name: name}
		s.channels[name] = c
		if Local(name) {
			s.locals++
		}
	}
	c.mu.Lock()
	f := c.feed(l)
	placed := c.epoch.known()
	c.mu.Unlock()
	s.mu.Unlock()
	c.members.Add(1)
	h.members.Add(1)
	if !placed {
		// Only now, when no message can pass by unseen any more.
		h.begin(c)
	}
	return f
}

// begin finds out where a new channel begins to be listened to.
func (h *Hub) begin(c *Channel) {
	if Local(c.name) {
		c.place(wire.ID{Epoch: localEpoch})
		return
	}
	if top := h.engine.Attach(c.name); !c.place(top) {
		h.engine.Detach(c.name) // somebody else was first
	}
}

// Leave undoes one Join, after the member was removed. With its last member a
// feed is given up: it must not be used again, and untaken is how many bytes
// it was notified of that nobody will take.
func (h *Hub) Leave(f *Feed) (untaken int) {
	c := f.channel
	c.members.Add(-1)
	h.members.Add(-1)
	if f.Members.Len() > 0 {
		return 0
	}
	untaken, last := h.remove(f)
	if last && !Local(c.name) {
		h.engine.Detach(c.name)
	}
	return untaken
}

// remove takes a feed out of its channel, and the channel out of the hub when
// that was its last.
func (h *Hub) remove(f *Feed) (untaken int, last bool) {
	c := f.channel
	s := h.shard(c.name)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	untaken = c.drop(f)
	if len(c.feeds) > 0 {
		return untaken, false
	}
	delete(s.channels, c.name)
	if Local(c.name) {
		s.locals--
	}
	return untaken, true
}

func (h *Hub) find(name string) *Channel {
	s := h.shard(name)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.channels[name]
}

func (h *Hub) shard(name string) *shard {
	return &h.shards[maphash.String(h.seed, name)%shards]
}
