package enginetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

// ear is a listener of a hub. It takes what is new in its feeds and notes
// what it sees.
type ear struct {
	hub *hub.Hub
	rng *rand.Rand

	mu    sync.Mutex
	fresh []*hub.Feed // guarded by mu
	wake  chan struct{}

	// Owned by whoever runs it.
	feeds map[string]*hub.Feed
	slots map[string]int32
	seen  map[string][]sight
	from  map[string]wire.ID // where it began to listen first
}

// sight is something that an ear saw in a channel.
type sight struct {
	id  wire.ID // of a message; the place behind which some are missing, of a gap
	gap bool
}

func newEar(h *hub.Hub, seed uint64) *ear {
	return &ear{
		hub: h, rng: rand.New(rand.NewPCG(seed, 2)), wake: make(chan struct{}, 1),
		feeds: make(map[string]*hub.Feed), slots: make(map[string]int32), seen: make(map[string][]sight), from: make(map[string]wire.ID),
	}
}

// Notify implements hub.Listener.
func (e *ear) Notify(f *hub.Feed, _ int, first bool) {
	if !first {
		return
	}
	e.mu.Lock()
	e.fresh = append(e.fresh, f)
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Pace implements hub.Listener.
func (e *ear) Pace(context.Context) error { return nil }

// Overloaded implements hub.Listener.
func (e *ear) Overloaded() bool { return false }

// take notes what is new in the feeds.
func (e *ear) take() {
	e.mu.Lock()
	fresh := e.fresh
	e.fresh = nil
	e.mu.Unlock()
	for _, f := range fresh {
		if e.feeds[f.Name()] == f {
			e.drain(f)
		}
	}
}

func (e *ear) drain(f *hub.Feed) (place wire.ID) {
	b, place := f.Take()
	e.note(f.Name(), b.First, b.Last, place.Epoch)
	f.Settle()
	return place
}

// note notes the entries from first to last.
func (e *ear) note(channel string, first, last *chanlog.Entry, epoch string) {
	for entry := first; entry != nil; entry = entry.Next() {
		e.seen[channel] = append(e.seen[channel], sight{id: wire.ID{Epoch: epoch, Seq: entry.Seq}, gap: entry.Kind == chanlog.Gap})
		if entry == last {
			return
		}
	}
}

// join begins to listen to a channel, or goes on where it left off.
func (e *ear) join(channel string) error {
	if e.feeds[channel] != nil {
		return nil
	}
	f := e.hub.Join(channel, e)
	_, upTo := f.Take() // what came meanwhile is read again
	defer f.Settle()
	e.feeds[channel] = f
	e.slots[channel] = f.Members.Add(1)
	since, before := e.place(channel)
	if !before {
		e.from[channel] = upTo
		return nil
	}
	r, err := e.hub.Resume(f, since, upTo)
	if err != nil {
		return fmt.Errorf("resume %s since %v: %w", channel, since, err)
	}
	if r.Gap != "" {
		e.seen[channel] = append(e.seen[channel], sight{id: since, gap: true})
	}
	e.note(channel, r.First, r.Last, upTo.Epoch)
	return nil
}

// place returns the newest place that an ear has seen of a channel, and
// whether there is any.
func (e *ear) place(channel string) (wire.ID, bool) {
	place, ok := e.from[channel]
	for _, s := range e.seen[channel] {
		if s.id.Seq > place.Seq {
			place = s.id
		}
	}
	return place, ok
}

// leave ends to listen to a channel.
func (e *ear) leave(channel string) {
	f := e.feeds[channel]
	if f == nil {
		return
	}
	e.drain(f)
	delete(e.feeds, channel)
	f.Members.Remove(e.slots[channel], nil)
	e.hub.Leave(f)
}
