// Package engine says what orders and keeps messages: the door behind which
// memory, a disk or a cluster can stand. Engines live in packages below this
// one.
package engine

import (
	"context"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/wire"
)

// Message is one message on its way from an engine to this node.
type Message struct {
	Channel string
	Epoch   string
	// Prev is the seq of the message before it in its channel, 0 when the
	// engine holds none: how a listener sees that its feed has a hole.
	Prev  uint64
	Entry *chanlog.Entry
}

// ID returns where the message stands.
func (m *Message) ID() wire.ID { return wire.ID{Epoch: m.Epoch, Seq: m.Entry.Seq} }

// Sink takes messages from an engine.
type Sink interface {
	// Deliver hands over one message; of a channel that nobody listens to it
	// need not be called. It never blocks. An engine may repeat, skip and
	// reorder: what is missing shows by Prev and is read again. One
	// that calls under a lock of its own must do none of these.
	Deliver(m Message)
	// Suspect says that the newest messages of channels may have been
	// skipped; nil means of all. It never blocks.
	Suspect(channels []string)
	// Listens reports whether somebody on this node listens to a channel.
	Listens(channel string) bool
}

// Ack says that the engine has a message.
type Ack struct {
	ID   wire.ID
	Time time.Time
	// Duplicate is whether a message with the same key was there already:
	// nothing was published, and ID and Time are those of the first.
	Duplicate bool
}

// Page is what a channel holds behind a place.
type Page struct {
	// First to Last are the entries, linked by Next; nil when there are none.
	First, Last *chanlog.Entry
	Count       int
	// Complete is whether nothing is missing between the place asked for and
	// First. If not, Gap says why.
	Complete bool
	Gap      wire.GapReason
	// More is whether further entries follow Last.
	More bool
	// Top is the newest place of the channel when the page was read.
	Top wire.ID
}

// Engine orders messages and keeps them as long as it was told to. All
// methods may be called from any goroutine.
//
// Errors are *wire.Error: Unavailable and Overloaded mean that the message
// was surely not kept, Uncertain that it may have been: to publish it again
// with the same key is safe.
type Engine interface {
	// Publish gives the message its place and returns when the engine has
	// it, as firmly as it was set up to. The message was handed to the sink
	// by then.
	Publish(ctx context.Context, p wire.Publication) (Ack, error)
	// Submit is Publish without waiting. Either the outcome is there at once,
	// or later is true and done is called with it, once, from another
	// goroutine. Messages of one caller keep their order.
	Submit(p wire.Publication, done func(Ack, error)) (ack Ack, later bool, err error)
	// Attach says that this node listens to a channel from now on and returns
	// its newest place: everything behind it will be delivered.
	Attach(channel string) wire.ID
	// Detach undoes Attach.
	Detach(channel string)
	// Read returns up to limit entries behind since, the oldest first; with
	// limit 0 all there are. It does not wait for a disk or a network where
	// the channel is attached and since not older than what is held.
	Read(ctx context.Context, channel string, since wire.ID, limit int) (Page, error)
	// Newest returns the newest entries of a channel, up to limit. Complete is
	// whether these are all that are held.
	Newest(ctx context.Context, channel string, limit int) (Page, error)
	// Run does the engine's own work until ctx is done, then puts into safety
	// what must be kept.
	Run(ctx context.Context) error
}

// Fill sets First, Last, Count and More from the chain that begins with
// first, of which it takes up to limit entries, or all with limit 0.
func (p *Page) Fill(first *chanlog.Entry, limit int) {
	p.First = first
	for e := first; e != nil; e = e.Next() {
		if limit > 0 && p.Count == limit {
			p.More = true
			return
		}
		p.Last = e
		p.Count++
	}
}
