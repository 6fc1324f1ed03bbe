package hub

import (
	"context"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
)

// repairs are the channels whose feed from the engine has a hole, or may
// have. They are read again from where the hole begins.
type repairs struct {
	due chan struct{} // holds one when channels wait

	mu sync.Mutex

	// Guarded by mu.
	waiting []*Channel
}

// repairAgain is how long a repair waits that the engine could not serve.
const repairAgain = 200 * time.Millisecond

func (r *repairs) add(c *Channel) {
	if c.suspect.Swap(true) {
		return
	}
	r.mu.Lock()
	r.waiting = append(r.waiting, c)
	r.mu.Unlock()
	select {
	case r.due <- struct{}{}:
	default:
	}
}

func (r *repairs) take() []*Channel {
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting := r.waiting
	r.waiting = nil
	return waiting
}

// Deliver implements engine.Sink: it appends m to its channel's log and
// tells the listeners. A channel without listeners keeps nothing.
func (h *Hub) Deliver(m engine.Message) {
	if c := h.find(m.Channel); c != nil && !c.deliver(&m) {
		h.repairs.add(c)
	}
}

// Suspect implements engine.Sink.
func (h *Hub) Suspect(channels []string) {
	if channels != nil {
		for _, name := range channels {
			if c := h.find(name); c != nil {
				h.repairs.add(c)
			}
		}
		return
	}
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.RLock()
		for name, c := range s.channels {
			if !Local(name) { // the engine has never heard of those
				h.repairs.add(c)
			}
		}
		s.mu.RUnlock()
	}
}

// Listens implements engine.Sink.
func (h *Hub) Listens(channel string) bool { return h.find(channel) != nil }

// Run repairs channels until ctx is done.
func (h *Hub) Run(ctx context.Context) error {
	for {
		select {
		case <-h.repairs.due:
		case <-ctx.Done():
			return nil
		}
		for _, c := range h.repairs.take() {
			h.repair(ctx, c)
		}
	}
}

// repair reads what a channel's feeds may have missed and appends it, with a
// gap in its place where the engine no longer has it.
func (h *Hub) repair(ctx context.Context, c *Channel) {
	c.suspect.Store(false) // a hole seen from now on is a new one
	c.mu.Lock()
	since := c.id(c.last)
	c.mu.Unlock()
	if since.Epoch == "" {
		return // its first listener is still asking where it begins
	}
	page, err := h.engine.Read(ctx, c.name, since, 0)
	if err != nil {
		time.AfterFunc(repairAgain, func() { h.repairs.add(c) })
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != since.Seq && !page.Complete {
		h.repairs.add(c) // it went on meanwhile; ask again from there
		return
	}
	if !page.Complete {
		seq := page.Top.Seq
		if page.First != nil {
			seq = page.First.Seq - 1
		}
		c.epoch = epochOf(page.Top)
		c.append(engine.NewGap(c.name, since, seq, page.Gap, time.Now()))
	}
	c.appendAll(page.First, page.Last)
}

// appendAll appends those of the entries that are news. The caller holds mu.
func (c *Channel) appendAll(first, last *chanlog.Entry) {
	for e := first; e != nil; e = e.Next() {
		if e.Seq > c.last {
			c.append(e)
		}
		if e == last {
			return
		}
	}
}
