package session

import (
	"time"

	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// End is why a session must be closed: the close code and the reason that
// the client is given.
type End struct {
	Code   wire.CloseCode
	Reason string
}

func (e *End) Error() string { return e.Reason }

var (
	errBinary = &End{wire.CloseBinary, "frames are text"}
	errFlood  = &End{wire.ClosePolicy, "too many frames"}
)

// Receive takes bytes as they came from the client and carries out what they
// ask for. It may change p. It returns how many whole messages there were. An
// error is an *End, and nothing more may be fed.
func (s *Session) Receive(p []byte, now time.Time, policy *Policy, c Carrier) (whole int, err error) {
	limits := ws.Limits{MaxMessage: policy.MaxFrame, Deflate: s.Deflate}
	err = s.reader.Feed(p, limits, func(m ws.Message) error {
		if m.Op == ws.Text || m.Op == ws.Binary {
			whole++
		}
		return s.handle(m, now, policy, c)
	})
	if fault, ok := err.(*ws.CloseError); ok {
		return whole, &End{wire.CloseCode(fault.Code), fault.Reason}
	}
	return whole, err
}

func (s *Session) handle(m ws.Message, now time.Time, policy *Policy, c Carrier) error {
	if !c.Open() {
		return nil // it was ended by an earlier frame of the same bytes
	}
	if m.Op == ws.Close {
		return closed(m) // it is owed an answer, whatever its rate
	}
	switch s.allowance.spend(now, policy) {
	case refused:
		if m.Op == ws.Text {
			r, _ := wire.ParseRequest(m.Data)
			s.refuse(c, r, wire.Errorf(wire.TooManyRequests, "more than %d frames a second; this one was not carried out", policy.FramesPerSecond))
		}
		return nil
	case flooding:
		return errFlood
	}
	if policy.StandIn != nil && (m.Op == ws.Text || m.Op == ws.Binary) {
		policy.StandIn(m, c)
		return nil
	}
	switch m.Op {
	case ws.Text:
		s.carryOut(m.Data, policy, c)
	case ws.Binary:
		return errBinary
	case ws.Ping:
		c.Send(ws.Pong, m.Data)
	}
	return nil
}

// closed answers a client's close frame with its own code (RFC 6455,
// section 5.5.1).
func closed(m ws.Message) *End {
	const noStatus = 1005
	if m.Code == noStatus {
		return &End{wire.CloseNormal, ""}
	}
	return &End{wire.CloseCode(m.Code), ""}
}

// carryOut does what one frame asks for.
func (s *Session) carryOut(frame []byte, policy *Policy, c Carrier) {
	r, err := wire.ParseRequest(frame)
	if err == nil {
		switch r.Type {
		case wire.TypeSubscribe:
			err = s.subscribeAll(r, policy, c)
		case wire.TypeUnsubscribe:
			err = s.unsubscribe(r, c)
		case wire.TypePublish:
			err = s.publish(r, policy, c)
		case wire.TypePing:
			c.Send(ws.Text, wire.AppendPong(nil, r.Request))
		default:
			err = wire.Errorf(wire.UnknownType, "no frame has the type %s: subscribe, unsubscribe, publish, ping", wire.Quote(r.Type))
		}
	}
	if err != nil {
		s.refuse(c, r, err)
	}
}

func (s *Session) refuse(c Carrier, r wire.Request, err error) {
	code := wire.Internal
	if e, ok := err.(*wire.Error); ok {
		code = e.Code
	}
	c.Send(ws.Text, wire.AppendError(nil, code, err.Error(), r.Request))
}

func (s *Session) subscribeAll(r wire.Request, policy *Policy, c Carrier) error {
	names := r.Channels
	if names == nil {
		names = []string{r.Channel}
	} else if r.Channel != "" {
		return wire.Errorf(wire.BadRequest, `give "channel" or "channels", not both`)
	}
	if len(names) > policy.MaxSubscriptions {
		return wire.Errorf(wire.TooManySubs, "%d channels in one frame; a session may have %d", len(names), policy.MaxSubscriptions)
	}
	for _, name := range names {
		if err := CheckSubscribe(name, s.User); err != nil {
			return err
		}
	}
	s.allowance.charge(len(names) / namesPerFrame)
	for _, name := range names {
		if err := s.subscribe(name, r.Request, policy, c); err != nil {
			return err
		}
	}
	return nil
}

// namesPerFrame is how many channels of a list cost as much as a frame.
const namesPerFrame = 16

// CheckSubscribe returns nil when a session of user may subscribe to a
// channel by its name.
func CheckSubscribe(channel, user string) error {
	if err := wire.CheckChannel(channel); err != nil {
		return err
	}
	if len(channel) > len(wire.UserPrefix) && channel[:len(wire.UserPrefix)] == wire.UserPrefix {
		return wire.Errorf(wire.Forbidden, "%s reaches that user's sessions by itself; nobody may subscribe to it", wire.Quote(channel))
	}
	return nil
}

// subscribe joins a channel. To subscribe twice is no fault and delivers
// nothing twice.
func (s *Session) subscribe(name string, mark []byte, policy *Policy, c Carrier) error {
	if i := s.named(name); i >= 0 {
		c.Send(ws.Text, wire.AppendSubscribed(nil, name, c.Place(i), mark))
		return nil
	}
	if len(s.Subscriptions) > policy.MaxSubscriptions {
		return wire.Errorf(wire.TooManySubs, "a session may have %d subscriptions; %s was not added", policy.MaxSubscriptions, wire.Quote(name))
	}
	id := s.join(name, c)
	c.Send(ws.Text, wire.AppendSubscribed(nil, name, id, mark))
	return nil
}

func (s *Session) unsubscribe(r wire.Request, c Carrier) error {
	if err := wire.CheckChannel(r.Channel); err != nil {
		return err
	}
	if r.Channel == wire.Broadcast {
		return wire.Errorf(wire.Forbidden, "every session gets broadcast")
	}
	i := s.named(r.Channel)
	if i < 0 {
		return wire.Errorf(wire.NotFound, "not subscribed to %s", wire.Quote(r.Channel))
	}
	s.leave(i, c)
	c.Send(ws.Text, wire.AppendUnsubscribed(nil, r.Channel, "", r.Request))
	return nil
}

func (s *Session) publish(r wire.Request, policy *Policy, c Carrier) error {
	if r.Data == nil {
		return wire.Errorf(wire.BadRequest, `"data" is missing: {"type":"publish","channel":"news","data":"hi"}`)
	}
	p := wire.Publication{Channel: r.Channel, Event: r.Event, Key: r.Key, Data: wire.Compact(r.Data)}
	if err := p.Check(); err != nil {
		return err
	}
	for _, pattern := range policy.ClientPublish {
		if pattern.Match(p.Channel) {
			receipt, err := policy.Publish(p)
			if err != nil {
				return err
			}
			c.Send(ws.Text, wire.AppendPublished(nil, p.Channel, receipt.ID, r.Request))
			return nil
		}
	}
	return wire.Errorf(wire.Forbidden, "clients may not publish to %s; the server's --client-publish says where they may", wire.Quote(p.Channel))
}
