package session

import (
	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// Bounds of an answer of history or presence, in messages and in users.
const (
	defaultLimit = 100
	maxMembers   = 1000
)

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
	s.allowance.charge(page.Count / namesPerFrame)
	c.Send(ws.Text, appendPage(wire.AppendHistory(nil, r.Channel), page, r.Request))
	return nil
}

func appendPage(dst []byte, page hub.History, mark []byte) []byte {
	first := true
	for e := range page.Entries() {
		if e.Kind != chanlog.Message {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, e.JSON()...)
	}
	return wire.AppendHistoryEnd(dst, page.Complete, page.Next, mark)
}

func (s *Session) members(r wire.Request, policy *Policy, c Carrier) error {
	if err := policy.MaySubscribe(r.Channel, s.Grant); err != nil {
		return err
	}
	if policy.Presence == nil || !policy.Presence.Covers(r.Channel) {
		return wire.Errorf(wire.BadRequest, "channel %s has no presence; the server's --presence says which have", wire.Quote(r.Channel))
	}
	members, total := policy.Presence.Members(r.Channel, maxMembers)
	c.Send(ws.Text, wire.AppendMembers(nil, r.Channel, members, total, r.Request))
	return nil
}
