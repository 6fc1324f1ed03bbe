package session

import (
	"net/netip"
	"time"

	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// State is all that there is to know of a session, so that it can go on in
// another process. It can be written as JSON.
type State struct {
	ID        ID             `json:"id"`
	Address   netip.AddrPort `json:"address"`
	Connected int64          `json:"connected"` // Unix milliseconds
	Deflate   bool           `json:"deflate,omitempty"`
	Events    bool           `json:"events,omitempty"` // it gets Server-Sent Events
	Grant     *Grant         `json:"grant,omitempty"`
	Asked     bool           `json:"asked,omitempty"`     // it was asked for a new token
	Allowance int32          `json:"allowance,omitempty"` // thousandths of a frame that it may send, now
	Places    []Place        `json:"places"`
	Input     []byte         `json:"input,omitempty"`  // what its client has begun to send
	Output    []byte         `json:"output,omitempty"` // what has to be sent before anything else
}

// Place is how far a session has got in a channel.
type Place struct {
	Channel string  `json:"channel"`
	ID      wire.ID `json:"id"`
	// Watch is whether it is told who comes and goes there: nothing of that
	// is sent again.
	Watch bool `json:"watch,omitempty"`
}

// Save returns the session's state, but for its output, which is the
// carrier's.
func (s *Session) Save(now time.Time, policy *Policy, c Carrier) State {
	s.allowance.earn(now, policy)
	st := State{
		ID: s.ID, Address: s.Address, Connected: s.Connected, Deflate: s.Deflate,
		Grant: s.Grant, Asked: s.token == tokenAsked, Allowance: s.allowance.level,
		Input: s.reader.Pending(policy.limits(s.Deflate)),
	}
	for i := range s.Subscriptions {
		name := s.Subscriptions[i].Feed.Name()
		if hub.Local(name) {
			st.Places = append(st.Places, Place{Channel: name[1:], Watch: true})
		} else {
			st.Places = append(st.Places, Place{Channel: name, ID: c.Reached(i)})
		}
	}
	return st
}

// Part gives up all subscriptions without the session's leaving anything: it
// goes on elsewhere.
func (s *Session) Part(c Carrier) {
	for i := len(s.Subscriptions) - 1; i >= 0; i-- {
		s.leave(i, c)
	}
}

// Restore makes the session go on from a state. Each channel is resumed from
// where it got to; where something is lost since, the client is told.
func (s *Session) Restore(st State, now time.Time, policy *Policy, c Carrier) {
	s.ID, s.Address, s.Connected, s.Deflate, s.Grant = st.ID, st.Address, st.Connected, st.Deflate, st.Grant
	s.allowance = allowance{at: millis(now), level: st.Allowance}
	if st.Asked {
		s.token = tokenAsked
	}
	for _, p := range st.Places {
		if p.Watch {
			s.join(hub.PresenceOf(p.Channel), c)
			continue
		}
		place := s.join(p.Channel, c)
		replay, err := c.Resume(len(s.Subscriptions)-1, p.ID, place)
		if err != nil {
			replay.Gap = wire.GapRestarted
		}
		if replay.Gap != "" {
			c.Send(ws.Text, wire.AppendGap(nil, p.Channel, p.ID, replay.Gap))
		}
	}
}
