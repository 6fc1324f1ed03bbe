package hub

import (
	"context"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// Receipt says what became of a publication.
type Receipt struct {
	Channel     string
	ID          wire.ID
	Time        time.Time
	Subscribers int  // sessions of this node that get the message
	Duplicate   bool // it repeats the key of an earlier one: that one is meant, and nobody got it again
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
	if refusal := h.refusing.Load(); refusal != nil {
		return Receipt{}, refusal
	}
	ack, err := h.engine.Publish(ctx, p)
	return h.receipt(p.Channel, ack, err)
}

var errBehind = wire.Errorf(wire.Overloaded, "the server is behind with deliveries; the message was not published, try again")

// Submit is Publish for callers that run on an event loop and cannot wait.
// Either the outcome is there at once, or later is true and done is called
// with it from another goroutine.
func (h *Hub) Submit(p wire.Publication, done func(Receipt, error)) (r Receipt, later bool, err error) {
	if refusal := h.refusing.Load(); refusal != nil {
		return Receipt{}, false, refusal
	}
	for _, l := range h.listeners {
		if l.Overloaded() {
			return Receipt{}, false, errBehind
		}
	}
	ack, later, err := h.engine.Submit(p, func(ack engine.Ack, err error) { done(h.receipt(p.Channel, ack, err)) })
	if later {
		return Receipt{}, true, nil
	}
	r, err = h.receipt(p.Channel, ack, err)
	return r, false, err
}

func (h *Hub) receipt(channel string, ack engine.Ack, err error) (Receipt, error) {
	if err != nil {
		return Receipt{}, err
	}
	r := Receipt{Channel: channel, ID: ack.ID, Time: ack.Time, Duplicate: ack.Duplicate}
	if !ack.Duplicate {
		h.published.Add(1)
		r.Subscribers = h.Subscribers(channel)
	}
	return r, nil
}
