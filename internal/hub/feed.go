package hub

import (
	"context"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/wire"
)

// Listener is one event loop: it has sessions that subscribe to channels.
type Listener interface {
	// Notify says that a frame of so many bytes was appended to the feed's
	// channel; first that the feed had nothing untaken before. It is called
	// under the channel's lock, from any goroutine, and must not block.
	Notify(f *Feed, bytes int, first bool)
	// Pace waits while the listener is too far behind with what it was
	// notified of, until ctx is done.
	Pace(ctx context.Context) error
	// Overloaded reports whether the listener is so far behind that even
	// publishers who cannot wait must be turned away.
	Overloaded() bool
}

// Feed is one listener's part of a channel: which of its sessions subscribe,
// and from where on they have not been offered the log yet. There are as many
// as channels: every field counts.
type Feed struct {
	// Static after construction.
	channel  *Channel
	listener Listener

	// Guarded by channel.mu.
	first   *chanlog.Entry // oldest entry not taken; nil when there is none
	untaken int            // bytes from first on
	settled bool           // the listener needs no entry that it was given

	// Owned by the listener.
	Behind  int32 // members that stopped somewhere in the log and walk on from there
	Members Members
	Next    *chanlog.Entry // first entry of the chunk that members are being offered; nil between batches
	Last    *chanlog.Entry // end of the batch that it is of
}

// Name returns the channel's name.
func (f *Feed) Name() string { return f.channel.name }

// Batch is a run of entries, linked by Next. First is nil in an empty one.
type Batch struct {
	First, Last *chanlog.Entry
	Bytes       int // of all frames
}

// Take returns what was appended since the last call, if anything, and the
// newest entry's place in the channel. The listener that takes must call
// Settle when no member needs the entries any more.
func (f *Feed) Take() (Batch, wire.ID) {
	c := f.channel
	c.mu.Lock()
	defer c.mu.Unlock()
	place := c.id(c.last)
	if f.first == nil {
		return Batch{}, place
	}
	b := Batch{First: f.first, Last: c.tail, Bytes: f.untaken}
	f.first, f.untaken = nil, 0
	return b, place
}

// Reached returns the place up to which everything was taken.
func (f *Feed) Reached() wire.ID {
	c := f.channel
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.first != nil {
		return c.before(f.first)
	}
	return c.id(c.last)
}

// Before returns the place before e, which is of the channel's log: who stands
// there is sent e next. That of an entry that tells of a gap is where the gap
// begins, for what lies in it is not told of before.
func (f *Feed) Before(e *chanlog.Entry) wire.ID {
	f.channel.mu.Lock()
	defer f.channel.mu.Unlock()
	return f.channel.before(e)
}

// before is Before. The caller holds mu.
func (c *Channel) before(e *chanlog.Entry) wire.ID {
	if e.Kind == chanlog.Gap {
		if after, ok := wire.GapAfter(e.JSON()); ok {
			return after
		}
	}
	return c.id(e.Seq - 1)
}

// Epoch returns the epoch of the channel's ids.
func (f *Feed) Epoch() string {
	f.channel.mu.Lock()
	defer f.channel.mu.Unlock()
	return f.channel.epoch.String()
}

// Settle says that the listener holds no entry from which a member still has
// to walk on: the channel may let go of what nobody else needs.
func (f *Feed) Settle() {
	c := f.channel
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.first == nil {
		f.settled = true
		c.forget()
	}
}
