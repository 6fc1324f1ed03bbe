package session

import (
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// Bounds of an answer of history or presence, in messages and in users.
const (
	defaultLimit = 100
	maxMembers   = 1000
)

// bytesPerFrame is how much of an answer costs as much as a frame.
const bytesPerFrame = 8 << 10

func (s *Session) history(r wire.Request, policy *Policy, c Carrier) error {
	if err := policy.MaySubscribe(r.Channel, s.Grant); err != nil {
		return err
	}
	limit := r.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	page, err := policy.Hub.History(r.Channel, r.Since, limit, policy.MaxPage)
	if err != nil {
		return err
	}
	answer := page.Append(wire.AppendHistory(nil, r.Channel))
	s.allowance.charge(max(page.Count/namesPerFrame, len(answer)/bytesPerFrame))
	c.Send(ws.Text, wire.AppendHistoryEnd(answer, page.Complete, page.Next, r.Request))
	return nil
}

func (s *Session) members(r wire.Request, policy *Policy, c Carrier) error {
	if err := policy.MaySubscribe(r.Channel, s.Grant); err != nil {
		return err
	}
	if policy.Presence == nil || !policy.Presence.Covers(r.Channel) {
		return wire.Errorf(wire.BadRequest, "channel %s has no presence; the server's --presence says which have", wire.Quote(r.Channel))
	}
	members, total := policy.Presence.Members(r.Channel, maxMembers)
	s.allowance.charge(min(total/namesPerFrame, policy.FrameBurst/2))
	c.Send(ws.Text, wire.AppendMembers(nil, r.Channel, members, total, r.Request))
	return nil
}
