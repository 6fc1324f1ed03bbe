// Package engine says what orders and keeps messages: the door behind which
// memory, a disk or a cluster can stand. Engines live in packages below this
// one.
package engine

import (
	"context"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// Message is one message with its place in its channel.
type Message struct {
	wire.Publication
	ID   wire.ID
	Time time.Time
}

// Sink takes ordered messages from an engine.
type Sink interface {
	// Deliver hands over one message. For one channel calls come one at a
	// time and with rising seqs. It never blocks.
	Deliver(m Message)
}

// Engine orders messages. All methods may be called from any goroutine.
type Engine interface {
	// Publish gives the message its place and, before it returns, hands it
	// to the sink. An error is a *wire.Error and means that the message was
	// surely not kept, unless its code says otherwise.
	Publish(ctx context.Context, p wire.Publication) (Message, error)
	// Top returns the place behind which a channel that nobody on this node
	// listened to so far is live.
	Top(channel string) wire.ID
}
