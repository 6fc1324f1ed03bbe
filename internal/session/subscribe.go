package session

import (
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// namesPerFrame is how many channels of a list cost as much as a frame.
const namesPerFrame = 16

func (s *Session) subscribeAll(r wire.Request, policy *Policy, c Carrier) error {
	wants := r.Channels
	if wants == nil {
		wants = []wire.Wanted{r.Wanted}
	} else if r.Channel != "" {
		return wire.Errorf(wire.BadRequest, `give "channel" or "channels", not both`)
	}
	if len(wants) > policy.MaxSubscriptions {
		return wire.Errorf(wire.TooManySubs, "%d channels in one frame; a session may have %d", len(wants), policy.MaxSubscriptions)
	}
	for _, w := range wants {
		if err := policy.MaySubscribe(w.Channel, s.Grant); err != nil {
			return err
		}
		if w.Presence && (policy.Presence == nil || !policy.Presence.Covers(w.Channel)) {
			return wire.Errorf(wire.BadRequest, "channel %s has no presence; the server's --presence says which have", wire.Quote(w.Channel))
		}
	}
	s.allowance.charge(len(wants) / namesPerFrame)
	for _, w := range wants {
		if !c.Open() {
			return nil // the answers were too much for it
		}
		if err := s.subscribe(w, r.Request, policy, c); err != nil {
			return err
		}
	}
	return nil
}

// subscribe joins a channel. To subscribe twice is no fault and delivers
// nothing twice.
func (s *Session) subscribe(w wire.Wanted, mark []byte, policy *Policy, c Carrier) error {
	i := s.named(w.Channel)
	if fresh := i < 0; fresh {
		if len(s.Subscriptions) >= policy.MaxSubscriptions+s.owned() {
			return wire.Errorf(wire.TooManySubs, "a session may have %d subscriptions; %s was not added", policy.MaxSubscriptions, wire.Quote(w.Channel))
		}
		place := s.join(w.Channel, c)
		s.arrive(w.Channel, policy)
		s.subscribed(w, place, mark, c)
	} else {
		again := w
		again.Since = wire.ID{} // what the session has of the channel goes on from where it is
		s.subscribed(again, c.Reached(i), mark, c)
	}
	return s.watch(w, policy, c)
}

// subscribed answers for the newest subscription, which is live behind place,
// and has it sent what it missed.
func (s *Session) subscribed(w wire.Wanted, place wire.ID, mark []byte, c Carrier) {
	if w.Since == (wire.ID{}) {
		c.Send(ws.Text, wire.AppendSubscribed(nil, w.Channel, place, nil, mark))
		return
	}
	replay, err := c.Resume(len(s.Subscriptions)-1, w.Since, place)
	if err != nil {
		replay.Gap, replay.Complete = wire.GapRestarted, false
	}
	if replay.Gap == "" && w.Since.Epoch == place.Epoch && w.Since.Seq > place.Seq {
		place = w.Since // it knows more than it was about to be sent
	}
	resumed := &wire.Resumed{Recovered: replay.Complete, Replayed: replay.Messages}
	c.Send(ws.Text, wire.AppendSubscribed(nil, w.Channel, place, resumed, mark))
	if replay.Gap != "" {
		c.Send(ws.Text, wire.AppendGap(nil, w.Channel, w.Since, replay.Gap))
	}
}

func (s *Session) unsubscribe(r wire.Request, policy *Policy, c Carrier) error {
	if err := wire.CheckChannel(r.Channel); err != nil {
		return err
	}
	i := s.named(r.Channel)
	if i >= 0 && i < s.owned() {
		return wire.Errorf(wire.Forbidden, "every session gets %s", wire.Quote(r.Channel))
	}
	if i < 0 {
		return wire.Errorf(wire.NotFound, "not subscribed to %s", wire.Quote(r.Channel))
	}
	s.give(r.Channel, "", r.Request, policy, c)
	return nil
}

// give gives up a channel and what comes with it, and says so.
func (s *Session) give(channel, reason string, mark []byte, policy *Policy, c Carrier) {
	if i := s.named(hub.PresenceOf(channel)); i >= 0 {
		s.leave(i, c)
	}
	i := s.named(channel)
	s.depart(i, policy)
	s.leave(i, c)
	c.Send(ws.Text, wire.AppendUnsubscribed(nil, channel, reason, mark))
}

// watch has the session told who comes to a channel and leaves it, if wanted.
func (s *Session) watch(w wire.Wanted, policy *Policy, c Carrier) error {
	if !w.Presence || s.named(hub.PresenceOf(w.Channel)) >= 0 {
		return nil
	}
	if len(s.Subscriptions) >= policy.MaxSubscriptions+s.owned() {
		return wire.Errorf(wire.TooManySubs, "a session may have %d subscriptions; presence of %s was not added", policy.MaxSubscriptions, wire.Quote(w.Channel))
	}
	s.join(hub.PresenceOf(w.Channel), c)
	return nil
}

// arrive notes the session's presence at a channel.
func (s *Session) arrive(channel string, policy *Policy) {
	if policy.Presence != nil && policy.Presence.Covers(channel) {
		policy.Presence.Join(channel, s.User(), s.ID)
	}
}

// depart undoes arrive for the subscription at i.
func (s *Session) depart(i int, policy *Policy) {
	if policy.Presence == nil || i < s.owned() {
		return
	}
	if name := s.Subscriptions[i].Feed.Name(); !hub.Local(name) && policy.Presence.Covers(name) {
		policy.Presence.Leave(name, s.User(), s.ID)
	}
}
