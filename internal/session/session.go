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

// Subscription is one session's place among a channel's subscribers.
type Subscription struct {
	Feed  *hub.Feed
	Index int32 // of the session among the feed's members
}

// Session is one connected client. It is owned by its event loop.
type Session struct {
	// Static after Start.
	ID        ID
	Address   netip.AddrPort
	Connected int64 // Unix milliseconds
	Deflate   bool  // messages may be compressed

	// Grant is what its token allows; nil for a client without one. What it
	// points to is never changed.
	Grant *Grant

	Subscriptions []Subscription // the first are its own: broadcast and, for a user, the user's channel
	reader        ws.Reader
	allowance     allowance
	token         tokenState
}

// Start greets the client and subscribes it to what is its own and to what it
// wants, whose names must have passed their checks.
func (s *Session) Start(now time.Time, policy *Policy, c Carrier, wants []wire.Wanted) {
	s.Connected = now.UnixMilli()
	s.allowance.fill(now, policy)
	if policy.StandIn != nil {
		return
	}
	welcome := wire.Welcome{
		Session: s.ID.String(), Node: policy.Node, Version: policy.Version, User: s.User(),
		Heartbeat: policy.Heartbeat, Expires: s.Grant.left(now),
	}
	c.Send(ws.Text, welcome.Append(nil))
	s.own(wire.Broadcast, wants, c)
	if user := s.User(); user != "" {
		s.own(wire.UserPrefix+user, wants, c)
	}
	for _, w := range wants {
		if s.named(w.Channel) >= 0 {
			continue
		}
		if err := s.subscribe(w, nil, policy, c); err != nil {
			s.refuse(policy, c, wire.Request{}, err)
			return
		}
	}
}

// own joins one of the channels that every session has, and says so only
// where the client asked for it.
func (s *Session) own(channel string, wants []wire.Wanted, c Carrier) {
	place := s.join(channel, c)
	for _, w := range wants {
		if w.Channel == channel {
			s.subscribed(w, place, nil, c)
			return
		}
	}
}

// owned is how many channels the session has without asking.
func (s *Session) owned() int {
	if s.User() != "" {
		return 2
	}
	return 1
}

// User is whom the session's token names; empty when nobody is named.
func (s *Session) User() string { return s.Grant.Name() }

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

// join makes the session a member of a channel and returns the place behind
// which it gets every message.
func (s *Session) join(channel string, c Carrier) wire.ID {
	sub, place := c.Join(channel)
	s.Subscriptions = append(s.Subscriptions, sub)
	return place
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
func (s *Session) Leave(policy *Policy, c Carrier) {
	for i := len(s.Subscriptions) - 1; i >= 0; i-- {
		s.depart(i, policy)
		s.leave(i, c)
	}
}
