package drain

import (
	"encoding/json"
	"time"
)

// Progress is how a drain stands.
type Progress struct {
	State     State
	Remaining int           // sessions open now
	Of        int           // sessions that were open when the drain began
	Left      time.Duration // until forcing begins; 0 from then on
	ForcedAt  time.Time     // when forcing begins, or began
	StartedAt time.Time
	Cause     string // what began it, "SIGTERM" for example
}

// MarshalJSON implements json.Marshaler: state and remaining always; of,
// left_s (whole seconds), forced_at, started_at (RFC 3339, UTC) and cause once
// a drain has begun.
func (p Progress) MarshalJSON() ([]byte, error) {
	type begun struct {
		Of        int       `json:"of"`
		LeftS     int       `json:"left_s"`
		ForcedAt  time.Time `json:"forced_at"`
		StartedAt time.Time `json:"started_at"`
		Cause     string    `json:"cause"`
	}
	form := struct {
		State     State `json:"state"`
		Remaining int   `json:"remaining"`
		*begun
	}{State: p.State, Remaining: p.Remaining}
	if p.State != Serving {
		form.begun = &begun{
			Of:        p.Of,
			LeftS:     seconds(p.Left),
			ForcedAt:  p.ForcedAt.UTC().Truncate(time.Millisecond),
			StartedAt: p.StartedAt.UTC().Truncate(time.Millisecond),
			Cause:     p.Cause,
		}
	}
	return json.Marshal(form)
}

// progressSoFar returns what the machine knows of its progress; what changes
// with time, Remaining and Left, is the reader's to fill in.
func (m *Machine) progressSoFar() Progress {
	p := Progress{State: m.state, Of: m.of, ForcedAt: m.deadline, StartedAt: m.started, Cause: m.cause}
	if !m.forcedAt.IsZero() {
		p.ForcedAt = m.forcedAt
	}
	return p
}
