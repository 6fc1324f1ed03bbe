package drain

import (
	"encoding/json"
	"time"
)

// Progress is how a drain stands. While none goes on, Remaining alone counts.
type Progress struct {
	Tally
	State     State
	Left      time.Duration // until forcing begins; 0 from then on
	StartedAt time.Time
	ShedAt    time.Time // when shedding begins, or began
	ForcedAt  time.Time // when forcing begins, or began
	Cause     string    // what began it: "SIGTERM", "SIGINT" or "API"
}

// MarshalJSON implements json.Marshaler: state and remaining always; once a
// drain has begun also of, left_s (whole seconds), forced_at, shed_at,
// started_at (RFC 3339, UTC), cause, and how many left, moved, were shed and
// forced.
func (p Progress) MarshalJSON() ([]byte, error) {
	type begun struct {
		Of        int       `json:"of"`
		LeftS     int       `json:"left_s"`
		ForcedAt  time.Time `json:"forced_at"`
		ShedAt    time.Time `json:"shed_at"`
		StartedAt time.Time `json:"started_at"`
		Cause     string    `json:"cause"`
		Left      int       `json:"left"`
		Moved     int       `json:"moved"`
		Shed      int       `json:"shed"`
		Forced    int       `json:"forced"`
	}
	form := struct {
		State     State `json:"state"`
		Remaining int   `json:"remaining"`
		*begun
	}{State: p.State, Remaining: p.Remaining}
	if p.State != Serving {
		stamp := func(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
		form.begun = &begun{
			Of: p.Of, LeftS: seconds(p.Left), Cause: p.Cause,
			ForcedAt: stamp(p.ForcedAt), ShedAt: stamp(p.ShedAt), StartedAt: stamp(p.StartedAt),
			Left: p.Tally.Left, Moved: p.Moved, Shed: p.Shed, Forced: p.Forced,
		}
	}
	return json.Marshal(form)
}

// snapshot is what progress is made from, at any later time.
type snapshot struct {
	run
	window time.Time
}

func (m *Machine) snapshot() *snapshot {
	s := &snapshot{run: m.run}
	if m.state != Serving {
		s.window = m.window()
	}
	return s
}

// progress returns how the drain stands at now, when so many sessions are
// there.
func (s *snapshot) progress(now time.Time, c Census) Progress {
	p := Progress{State: s.state, Tally: Tally{Remaining: c.Open}}
	if s.state == Serving {
		return p
	}
	if s.counted {
		p.Tally = s.tally(c)
	} else {
		p.Of = c.Open
	}
	p.Cause, p.StartedAt, p.ShedAt, p.ForcedAt = s.cause, s.started, s.window, s.deadline
	if !s.shedAt.IsZero() {
		p.ShedAt = s.shedAt
	}
	if !s.forcedAt.IsZero() {
		p.ForcedAt = s.forcedAt
		p.ShedAt = earlier(p.ShedAt, s.forcedAt)
	}
	if s.state < Forcing {
		p.Left = max(s.deadline.Sub(now), 0)
	}
	return p
}
