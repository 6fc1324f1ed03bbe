package hub

import (
	"context"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/wire"
)

// Replay is what a session that resumes has missed.
type Replay struct {
	Batch
	Messages int // of the entries, those that are messages
	// Gap is why something is missing before First; empty when nothing is.
	Gap wire.GapReason
	// Complete is whether nothing is missing, be it before First or where an
	// entry says so.
	Complete bool
}

// Resume returns the entries of f's channel behind since, up to the place
// upTo, from which on the session gets everything through f. The session can
// walk on from them as from any that it was offered: the caller must count it
// in f.Behind until it has.
//
// It must be called by f's listener, after f.Take returned upTo and before
// f is settled again.
func (h *Hub) Resume(f *Feed, since, upTo wire.ID) (Replay, error) {
	for {
		page, err := h.engine.Read(context.Background(), f.channel.name, since, 0)
		if err != nil {
			return Replay{}, err
		}
		r := Replay{Gap: page.Gap, Complete: page.Complete}
		for e := page.First; e != nil && e.Seq <= upTo.Seq; e = e.Next() {
			if r.First == nil {
				r.First = e
			}
			r.Last = e
			r.Bytes += len(e.Frame)
			switch e.Kind {
			case chanlog.Message:
				r.Messages++
			case chanlog.Gap:
				r.Complete = false
			}
			if e == page.Last {
				break
			}
		}
		if r.First == nil || f.channel.hold(f, r.Last) {
			return r, nil
		}
	}
}

// hold makes sure that what is appended from now on is linked to last, which
// f's listener is about to walk on from. It reports false when last was let
// go of by everybody before it could.
func (c *Channel) hold(f *Feed, last *chanlog.Entry) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.tail == nil:
		c.tail = last
	case last != c.tail && last.Next() == nil:
		return false
	}
	f.settled = false
	return true
}
