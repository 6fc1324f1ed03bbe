// Package session is one connected client: who it is, what it subscribes to,
// and what its frames ask for. A session is fed with bytes and answers
// through its Carrier; it knows no socket, no goroutine and no clock, so the
// same code serves the event loop, TLS and tests.
package session

import (
	"net/netip"
	"strconv"
	"time"

	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// ID names a session. It is unique in a node.
type ID uint64

// String returns the 16 hexadecimal digits that clients and operators see.
func (id ID) String() string {
	const digits = 16
	s := strconv.FormatUint(uint64(id), 16)
	return "0000000000000000"[:digits-len(s)] + s
}

// ParseID reads what String wrote.
func ParseID(s string) (ID, bool) {
	n, err := strconv.ParseUint(s, 16, 64)
	return ID(n), err == nil && ID(n).String() == s
}

// Policy is what all sessions of a node share. It is never changed while
// sessions use it.
type Policy struct {
	Node             string        // this node's name
	Version          string        // of the program
	Heartbeat        time.Duration // between pings to a session
	MaxFrame         int           // bytes of a message from a client, inflated
	MaxSubscriptions int           // channels of one session, broadcast apart
	FramesPerSecond  int           // that a session may send in the long run
	FrameBurst       int           // that it may send at once
	ClientPublish    []wire.Pattern

	// Publish hands a client's message on; it must not block.
	Publish func(wire.Publication) (hub.Receipt, error)
	// Compress is whether permessage-deflate may be agreed on.
	Compress bool
	// StandIn, if set, takes all text and binary messages in place of the
	// session, which then greets nobody and subscribes to nothing: what
	// carries sessions can so be shown to a conformance suite by itself.
	StandIn func(m ws.Message, c Carrier)
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
	// Place returns the place behind which the session gets every message,
	// for the subscription that stands at i.
	Place(i int) wire.ID
	// Leave undoes Join for the subscription that stands at i.
	Leave(i int)
}

// Subscription is one session's place among a channel's subscribers.
type Subscription struct {
	Feed  *hub.Feed
	Index int32 // of the session among the feed's members
}

// Session is one connected client. It is owned by its event loop.
type Session struct {
	// Static after Start.
	ID        ID
	User      string // whom a token names; empty when nobody is named
	Address   netip.AddrPort
	Connected int64 // Unix milliseconds
	Deflate   bool  // messages may be compressed

	Subscriptions []Subscription // the first is broadcast
	reader        ws.Reader
	allowance     allowance
}

// Start greets the client and subscribes it to broadcast and to channels,
// whose names must have passed their checks.
func (s *Session) Start(now time.Time, policy *Policy, c Carrier, channels []string) {
	s.Connected = now.UnixMilli()
	s.allowance.fill(now, policy)
	if policy.StandIn != nil {
		return
	}
	welcome := wire.Welcome{Session: s.ID.String(), Node: policy.Node, Version: policy.Version, User: s.User, Heartbeat: policy.Heartbeat}
	c.Send(ws.Text, welcome.Append(nil))
	s.join(wire.Broadcast, c)
	for _, name := range channels {
		if err := s.subscribe(name, nil, policy, c); err != nil {
			s.refuse(c, wire.Request{}, err)
			return
		}
	}
}

// Unfinished reports whether a message has begun and is not whole, and how
// many bytes are kept for it.
func (s *Session) Unfinished() (begun bool, held int) {
	return s.reader.Unfinished(), s.reader.Held()
}

// Index returns where the subscription to f stands, or -1.
func (s *Session) Index(f *hub.Feed) int {
	for i := range s.Subscriptions {
		if s.Subscriptions[i].Feed == f {
			return i
		}
	}
	return -1
}

// named returns where the subscription to a channel stands, or -1.
func (s *Session) named(channel string) int {
	for i := range s.Subscriptions {
		if s.Subscriptions[i].Feed.Name() == channel {
			return i
		}
	}
	return -1
}

func (s *Session) join(channel string, c Carrier) wire.ID {
	sub, id := c.Join(channel)
	s.Subscriptions = append(s.Subscriptions, sub)
	return id
}

// leave gives up the subscription that stands at i.
func (s *Session) leave(i int, c Carrier) {
	c.Leave(i)
	last := len(s.Subscriptions) - 1
	s.Subscriptions[i] = s.Subscriptions[last]
	s.Subscriptions[last] = Subscription{}
	s.Subscriptions = s.Subscriptions[:last]
}

// Leave gives up all subscriptions.
func (s *Session) Leave(c Carrier) {
	for i := len(s.Subscriptions) - 1; i >= 0; i-- {
		s.leave(i, c)
	}
}
