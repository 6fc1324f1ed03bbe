package hub

import (
	"slices"
	"sync"
	"sync/atomic"

	"holdfast.dev/holdfast/internal/chanlog"
)

// Channel is one named stream of messages, as far as this node has listeners
// for it. There may be a million of them with one subscriber each: every
// field counts.
type Channel struct {
	name    string
	members atomic.Int32 // sessions that listen, over all feeds

	mu sync.Mutex

	// Guarded by mu.
	epoch string
	log   chanlog.Log
	feeds []*Feed
}

// append puts e at the end of the log and tells the listeners.
func (c *Channel) append(e *chanlog.Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log.Append(e)
	for _, f := range c.feeds {
		f.settled = false
		first := f.first == nil
		if first {
			f.first = e
		}
		f.listener.Notify(f, len(e.Frame), first)
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
	if f.first != nil {
		untaken = int(c.log.Tail().End-f.first.End) + len(f.first.Frame)
		f.first = nil
	}
	c.feeds = slices.DeleteFunc(c.feeds, func(g *Feed) bool { return g == f })
	c.forget()
	return untaken
}

// forget lets go of the log when no feed needs it. The caller holds mu.
func (c *Channel) forget() {
	for _, f := range c.feeds {
		if !f.settled {
			return
		}
	}
	c.log.Forget()
}
