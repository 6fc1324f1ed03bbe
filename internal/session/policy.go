package session

import (
	"context"
	"time"

	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// Policy is what all sessions of a node share. It is never changed while
// sessions use it.
type Policy struct {
	Node             string        // this node's name
	Version          string        // of the program
	Heartbeat        time.Duration // between pings to a session
	MaxFrame         int           // bytes of a message from a client, inflated
	MaxSubscriptions int           // channels of one session, those apart that it has anyway
	MaxPage          int           // bytes of messages in one answer of history
	FramesPerSecond  int           // that a session may send in the long run
	FrameBurst       int           // that it may send at once
	Anonymous        []wire.Pattern
	ClientPublish    []wire.Pattern
	Hub              *hub.Hub
	// Presence is who is at which channel; nil where no channel has it.
	Presence Presence
	// Verify returns what a token allows. It may wait.
	Verify func(ctx context.Context, token string) (*Grant, error)
	// Revoked reports whether a token that Verify let in counts no more. It
	// does not wait.
	Revoked func(*Grant) bool
	// Compress is whether permessage-deflate may be agreed on.
	Compress bool
	// CountRefusal, if set, is told of each frame that is answered with an
	// error. It must not block.
	CountRefusal func(wire.Code)
	// StandIn, if set, takes all text and binary messages in place of the
	// session, which then greets nobody and subscribes to nothing: what
	// carries sessions can so be shown to a conformance suite by itself.
	StandIn func(m ws.Message, c Carrier)
}

// Presence keeps who is at which channel. Its methods never block.
type Presence interface {
	// Covers reports whether a channel has presence.
	Covers(channel string) bool
	// Join and Leave note that a session of a user came to a channel that has
	// presence, or left it. The user is empty for a client without a token.
	Join(channel, user string, id ID)
	Leave(channel, user string, id ID)
	// Members returns up to limit users who are at a channel, and how many
	// there are.
	Members(channel string, limit int) (members []wire.Member, total int)
}

// Carrier is what a session asks of whatever carries it. All calls are made
// on the session's own event loop.
type Carrier interface {
	// Send sends one frame. The payload is taken over before it returns.
	Send(op ws.Opcode, payload []byte)
	// Open reports whether the session still gets service.
	Open() bool
	// Join makes the session a member of a channel and returns its entry,
	// with the place behind which it gets every message.
	Join(channel string) (Subscription, wire.ID)
	// Resume has the session sent what its subscription at i missed between
	// since and place, which Join returned, before anything later.
	Resume(i int, since, place wire.ID) (hub.Replay, error)
	// Reached returns the place up to which the subscription at i was sent
	// everything.
	Reached(i int) wire.ID
	// Leave undoes Join for the subscription that stands at i.
	Leave(i int)
	// Later runs work away from the event loop and then hands what it
	// returned to the session, on the loop, if there still is one.
	Later(work func(ctx context.Context) func(s *Session, c Carrier))
	// Reply returns what hands something to the session on its loop, from any
	// goroutine, if there still is one. Await must be called when it is sure
	// that it will be used, once: until then the session stays in this
	// process.
	Reply() func(func(s *Session, c Carrier))
	Await()
}
