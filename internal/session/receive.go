package session

import (
	"time"

	"holdfast.dev/holdfast/internal/hub"
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
	err = s.reader.Feed(p, policy.limits(s.Deflate), func(m ws.Message) error {
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

func (p *Policy) limits(deflate bool) ws.Limits {
	return ws.Limits{MaxMessage: p.MaxFrame, Deflate: deflate}
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
			s.refuse(policy, c, r, wire.Errorf(wire.TooManyRequests, "more than %d frames a second; this one was not carried out", policy.FramesPerSecond))
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
		s.carryOut(m.Data, now, policy, c)
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
func (s *Session) carryOut(frame []byte, now time.Time, policy *Policy, c Carrier) {
	r, err := wire.ParseRequest(frame)
	if err == nil {
		switch r.Type {
		case wire.TypeSubscribe:
			err = s.subscribeAll(r, policy, c)
		case wire.TypeUnsubscribe:
			err = s.unsubscribe(r, policy, c)
		case wire.TypePublish:
			err = s.publish(r, policy, c)
		case wire.TypeHistory:
			err = s.history(r, policy, c)
		case wire.TypePresence:
			err = s.members(r, policy, c)
		case wire.TypeRefresh:
			err = s.refresh(r, now, policy, c)
		case wire.TypePing:
			c.Send(ws.Text, wire.AppendPong(nil, r.Request))
		default:
			err = wire.Errorf(wire.UnknownType, "no frame has the type %s: %s", wire.Quote(r.Type), wire.Types)
		}
	}
	if err != nil {
		s.refuse(policy, c, r, err)
	}
}

// refuse answers a frame that is not carried out.
func (s *Session) refuse(policy *Policy, c Carrier, r wire.Request, err error) {
	code := wire.Internal
	if e, ok := err.(*wire.Error); ok {
		code = e.Code
	}
	if policy.CountRefusal != nil {
		policy.CountRefusal(code)
	}
	c.Send(ws.Text, wire.AppendError(nil, code, err.Error(), r.Request))
}

func (s *Session) publish(r wire.Request, policy *Policy, c Carrier) error {
	if r.Data == nil {
		return wire.Errorf(wire.BadRequest, `"data" is missing: {"type":"publish","channel":"news","data":"hi"}`)
	}
	p := wire.Publication{Channel: r.Channel, Event: r.Event, Key: r.Key, Data: wire.Compact(r.Data)}
	if err := p.Check(); err != nil {
		return err
	}
	if err := policy.mayPublish(p.Channel, s.Grant); err != nil {
		return err
	}
	// What is answered later outlives the frame that r and p stand in.
	reply, mark := c.Reply(), append([]byte(nil), r.Request...)
	receipt, later, err := policy.Hub.Submit(p, func(receipt hub.Receipt, err error) {
		reply(func(s *Session, c Carrier) { s.published(receipt, err, mark, policy, c) })
	})
	if later {
		c.Await()
	} else {
		s.published(receipt, err, mark, policy, c)
	}
	return nil
}

func (s *Session) published(receipt hub.Receipt, err error, mark []byte, policy *Policy, c Carrier) {
	if err != nil {
		s.refuse(policy, c, wire.Request{Request: mark}, err)
		return
	}
	c.Send(ws.Text, wire.AppendPublished(nil, receipt.Channel, receipt.ID, mark))
}
