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
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
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
	published atomic.Uint64
	members   atomic.Int64 // over all channels
	shards    [shards]shard
}

type shard struct {
	mu       sync.RWMutex
	channels map[string]*Channel
}

// New returns a hub without an engine: Use must follow before anything else.
func New() *Hub {
	h := &Hub{seed: maphash.MakeSeed()}
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

// Receipt says what became of a publication.
type Receipt struct {
	Channel     string
	ID          wire.ID
	Time        time.Time
	Subscribers int // sessions of this node that get the message
}

// Publish hands p, which must have passed its checks, to the engine. When it
// returns without an error, every session subscribed before gets the message.
// It waits while the event loops are too far behind what is published
// already. Errors are *wire.Error.
func (h *Hub) Publish(ctx context.Context, p wire.Publication) (Receipt, error) {
	for _, l := range h.listeners {
		if err := l.Pace(ctx); err != nil {
			return Receipt{}, errBehind
		}
	}
	return h.PublishNow(ctx, p)
}

var errBehind = wire.Errorf(wire.Overloaded, "the server is behind with deliveries; the message was not published, try again")

// PublishNow is Publish without waiting for the event loops, for callers that
// run on one of them.
func (h *Hub) PublishNow(ctx context.Context, p wire.Publication) (Receipt, error) {
	if refusal := h.refusing.Load(); refusal != nil {
		return Receipt{}, refusal
	}
	for _, l := range h.listeners {
		if l.Overloaded() {
			return Receipt{}, errBehind
		}
	}
	m, err := h.engine.Publish(ctx, p)
	if err != nil {
		return Receipt{}, err
	}
	h.published.Add(1)
	return Receipt{Channel: p.Channel, ID: m.ID, Time: m.Time, Subscribers: h.Subscribers(p.Channel)}, nil
}

// Refuse makes every later publish fail with err.
func (h *Hub) Refuse(err *wire.Error) { h.refusing.Store(err) }

// Published returns how many messages were published here.
func (h *Hub) Published() uint64 { return h.published.Load() }

// Members returns how many subscriptions there are, those to broadcast among
// them.
func (h *Hub) Members() int { return int(h.members.Load()) }

// Deliver implements engine.Sink: it appends m to its channel's log and
// tells the listeners. A channel without listeners keeps nothing.
func (h *Hub) Deliver(m engine.Message) {
	if c := h.find(m.Channel); c != nil {
		c.append(&chanlog.Entry{Seq: m.ID.Seq, Frame: encode(m)})
	}
}

// encode makes the frame that every subscriber of the channel is sent.
func encode(m engine.Message) []byte {
	const head, envelope = 10, 140 // room for the header of a frame; what surrounds names and data, at most
	buf := make([]byte, head, head+envelope+len(m.Channel)+len(m.Event)+len(m.Data))
	buf = wire.AppendMessage(buf, m.Channel, m.ID, m.Time, m.Event, m.Data)
	var room [head]byte
	h := ws.AppendHeader(room[:0], ws.Text, false, len(buf)-head)
	frame := buf[head-len(h):]
	copy(frame, h)
	return frame
}

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
	}
	c.mu.Lock()
	f := c.feed(l)
	placed := c.epoch != ""
	c.mu.Unlock()
	s.mu.Unlock()
	c.members.Add(1)
	h.members.Add(1)
	if !placed {
		// Only now, when no message can pass by unseen any more.
		top := h.engine.Top(name)
		c.mu.Lock()
		c.log.Start(top.Seq)
		c.epoch = top.Epoch
		c.mu.Unlock()
	}
	return f
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
	s := h.shard(c.name)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	untaken = c.drop(f)
	if len(c.feeds) == 0 {
		delete(s.channels, c.name)
	}
	return untaken
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
