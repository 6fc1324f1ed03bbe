package session

import (
	"context"
	"time"

	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// Grant is what a token allows a session, besides what everybody may.
type Grant struct {
	User     string         // whom it names; may be empty
	Issued   time.Time      // zero: not known
	Expires  time.Time      // zero: never
	Token    string         // names the token without giving it away
	Channels []wire.Pattern // that may be subscribed to
	Publish  []wire.Pattern // that may be published to
}

// Name returns whom the grant names, "" for nobody.
func (g *Grant) Name() string {
	if g == nil {
		return ""
	}
	return g.User
}

// left is how long the grant still holds; 0 when it has no end.
func (g *Grant) left(now time.Time) time.Duration {
	if g == nil || g.Expires.IsZero() {
		return 0
	}
	return max(time.Second, g.Expires.Sub(now))
}

func matches(patterns []wire.Pattern, channel string) bool {
	for _, p := range patterns {
		if p.Match(channel) {
			return true
		}
	}
	return false
}

// MaySubscribe returns nil when a client with grant g, or nil without one,
// may subscribe to a channel.
func (p *Policy) MaySubscribe(channel string, g *Grant) error {
	if err := wire.CheckChannel(channel); err != nil {
		return err
	}
	switch {
	case channel == wire.Broadcast, g != nil && g.User != "" && channel == wire.UserPrefix+g.User:
		return nil
	case len(channel) > len(wire.UserPrefix) && channel[:len(wire.UserPrefix)] == wire.UserPrefix:
		return wire.Errorf(wire.Forbidden, "%s reaches that user's sessions by itself; nobody else may subscribe to it", wire.Quote(channel))
	case matches(p.Anonymous, channel), g != nil && matches(g.Channels, channel):
		return nil
	case g == nil:
		return wire.Errorf(wire.Forbidden, "%s is not open to clients without a token; connect with one whose channels name it", wire.Quote(channel))
	}
	return wire.Errorf(wire.Forbidden, "the token's channels do not name %s", wire.Quote(channel))
}

// mayPublish returns nil when the session may publish to a channel.
func (p *Policy) mayPublish(channel string, g *Grant) error {
	if matches(p.ClientPublish, channel) || g != nil && matches(g.Publish, channel) {
		return nil
	}
	return wire.Errorf(wire.Forbidden, "clients may not publish to %s; the server's --client-publish or the token's publish says where they may", wire.Quote(channel))
}

func (p *Policy) revoked(g *Grant) bool { return g != nil && p.Revoked != nil && p.Revoked(g) }

// Check returns why a session that has just begun must end: its token may
// have been revoked while it was on its way.
func (s *Session) Check(policy *Policy) *End {
	if policy.revoked(s.Grant) {
		return Revoked
	}
	return nil
}

// tokenState is how far a session's token has gone.
type tokenState uint8

const (
	tokenFresh  tokenState = iota
	tokenAsked             // the client was asked for a new one
	tokenTested            // a new one is being looked at
)

const (
	askAhead     = 30 * time.Second // before its end a new token is asked for
	lateLeeway   = 30 * time.Second // a token that was taken past its end holds so long behind it
	refreshPrice = 10               // frames of the allowance
)

var errExpired = &End{wire.CloseToken, "the token has expired"}

// The ends that operators give sessions.
var (
	ByOperator = &End{wire.CloseByOperator, "closed by an operator"}
	Revoked    = &End{wire.CloseToken, "the token was revoked"}
)

// Tick does what is due for the session's token: it asks for a new one ahead
// of the end, and returns an error when the end has come. next is when to
// call it again, 0 for never.
func (s *Session) Tick(now time.Time, c Carrier) (next time.Duration, end *End) {
	g := s.Grant
	if g == nil || g.Expires.IsZero() {
		return 0, nil
	}
	expires := g.Expires
	if !time.UnixMilli(s.Connected).Before(expires) {
		expires = expires.Add(lateLeeway)
	}
	left := expires.Sub(now)
	switch {
	case left <= 0:
		return 0, errExpired
	case left > askAhead:
		return left - askAhead, nil
	case s.token == tokenFresh:
		s.token = tokenAsked
		c.Send(ws.Text, wire.AppendRefresh(nil, left))
	}
	return left, nil
}

// refresh looks at a new token, away from the loop, and takes it in place of
// the old one.
func (s *Session) refresh(r wire.Request, now time.Time, policy *Policy, c Carrier) error {
	switch {
	case s.Grant == nil:
		return wire.Errorf(wire.BadRequest, "this session came without a token; connect again with one")
	case r.Token == "":
		return wire.Errorf(wire.BadRequest, `"token" is missing: {"type":"refresh","token":"…"}`)
	case s.token == tokenTested:
		return wire.Errorf(wire.BadRequest, "a refresh is under way")
	}
	s.allowance.charge(refreshPrice)
	s.token = tokenTested
	token, mark := r.Token, append([]byte(nil), r.Request...)
	c.Later(func(ctx context.Context) func(*Session, Carrier) {
		g, err := policy.Verify(ctx, token)
		return func(s *Session, c Carrier) { s.refreshed(g, err, now, mark, policy, c) }
	})
	return nil
}

func (s *Session) refreshed(g *Grant, err error, now time.Time, mark []byte, policy *Policy, c Carrier) {
	s.token = tokenFresh
	if err == nil && g.User != s.Grant.User {
		err = wire.Errorf(wire.Forbidden, "the new token names %s, not %s; connect again to be somebody else", wire.Quote(g.User), wire.Quote(s.User()))
	}
	if err == nil && policy.revoked(g) {
		err = wire.Errorf(wire.Unauthorized, "the token was revoked; get a new one")
	}
	if err != nil {
		s.refuse(policy, c, wire.Request{Request: mark}, err)
		return
	}
	s.Grant = g
	c.Send(ws.Text, wire.AppendRefreshed(nil, g.left(now), mark))
	for i := len(s.Subscriptions) - 1; i >= s.owned(); i-- {
		if name := s.Subscriptions[i].Feed.Name(); !hub.Local(name) && policy.MaySubscribe(name, g) != nil {
			s.give(name, "forbidden", nil, policy, c)
			i = len(s.Subscriptions) // the list has changed: look again from its end
		}
	}
}
