package session

import (
	"net/netip"
	"time"

	"holdfast.dev/holdfast/internal/hub"
)

// Info is what an operator can see of a session.
type Info struct {
	ID            string    `json:"session"`
	User          string    `json:"user,omitempty"`
	Address       string    `json:"address"`
	Transport     string    `json:"transport"`
	ConnectedAt   time.Time `json:"connected_at"`
	Subscriptions int       `json:"subscriptions"`
	LagBytes      int       `json:"lag_bytes"`
}

// Filter selects sessions. Empty fields select all.
type Filter struct {
	Channel string
	User    string
	Limit   int
}

// subscriptions counts the channels that the session asked for.
func (s *Session) subscriptions() (n int) {
	for i := range s.Subscriptions {
		if !hub.Local(s.Subscriptions[i].Feed.Name()) {
			n++
		}
	}
	return max(0, n-s.owned())
}

// Info describes the session. Transport and lag are the carrier's to say.
func (s *Session) Info() Info {
	return Info{
		ID:            s.ID.String(),
		User:          s.User(),
		Address:       shown(s.Address),
		ConnectedAt:   time.UnixMilli(s.Connected).UTC(),
		Subscriptions: s.subscriptions(),
	}
}

// shown is an address as operators see it. A port of 0 is not known.
func shown(a netip.AddrPort) string {
	if a.Port() == 0 {
		return a.Addr().String()
	}
	return a.String()
}

// Matches reports whether the session is one that f selects.
func (s *Session) Matches(f Filter) bool {
	return (f.User == "" || s.User() == f.User) && (f.Channel == "" || s.named(f.Channel) >= 0)
}
