package hub

import (
	"slices"
	"sync"
	"sync/atomic"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// Channel is one named stream of messages, as far as this node has listeners
// for it. There may be a million of them with one subscriber each: every
// field counts.
type Channel struct {
	name    string
	members atomic.Int32 // sessions that listen, over all feeds
	suspect atomic.Bool  // a repair is due or under way

	mu sync.Mutex

	// Guarded by mu.
	epoch epoch
	last  uint64         // seq of the newest entry that the feeds know of
	tail  *chanlog.Entry // that entry, while somebody may have to walk on from it
	feeds []*Feed
}

// id returns the id of a seq of the channel. The caller holds mu.
func (c *Channel) id(seq uint64) wire.ID { return wire.ID{Epoch: c.epoch.String(), Seq: seq} }

// place says where the channel begins to be listened to. It reports false
// when that is known already.
func (c *Channel) place(top wire.ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch.known() {
		return false
	}
	c.last = max(c.last, top.Seq)
	c.epoch = epochOf(top)
	return true
}

// deliver takes a message as it came from the engine and reports whether it
// was its turn. One that was there already is no fault.
func (c *Channel) deliver(m *engine.Message) (due bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.epoch.known():
	case m.Epoch != c.epoch.String():
		return false // ids of two epochs do not compare
	case m.Entry.Seq <= c.last:
		return true
	case m.Prev > c.last:
		return false // what lies between did not come
	}
	c.append(m.Entry)
	return true
}

// append puts e behind the newest entry and tells the feeds. The caller holds
// mu.
func (c *Channel) append(e *chanlog.Entry) {
	if c.tail != nil {
		c.tail.Link(e)
	}
	c.tail, c.last = e, e.Seq
	for _, f := range c.feeds {
		f.settled = false
		f.untaken += len(e.Frame)
		first := f.first == nil
		if first {
			f.first = e
		}
		f.listener.Notify(f, len(e.Frame), first)
	}
	if len(c.feeds) == 0 {
		c.tail = nil
	}
}

// feed returns l's feed, new if need be. The caller holds mu.
func (c *Channel) feed(l Listener) *Feed {
	for _, f := range c.feeds {
		if f.listener == l {
			return f
		}
	}
	f := &Feed{channel: c, listener: l, settled: true}
	c.feeds = append(slices.Grow(c.feeds, 1), f)
	return f
}

// drop removes f and returns the bytes that it had yet to take. The caller
// holds mu.
func (c *Channel) drop(f *Feed) (untaken int) {
	untaken = f.untaken
	f.first, f.untaken = nil, 0
	c.feeds = slices.DeleteFunc(c.feeds, func(g *Feed) bool { return g == f })
	c.forget()
	return untaken
}

// forget lets go of the newest entry when no feed needs it. The caller holds
// mu.
func (c *Channel) forget() {
	for _, f := range c.feeds {
		if !f.settled {
			return
		}
	}
	c.tail = nil
}
