package drain

import (
	"errors"
	"time"
)

// Why Start, Limit and Cancel are not carried out.
var (
	ErrDraining = errors.New("a drain goes on already")
	ErrServing  = errors.New("no drain goes on")
	ErrForcing  = errors.New("the last sessions are being closed already")
)

// Start begins a drain; cause says what asked for it, and limit how long
// sessions may stay, 0 for the usual. Step must follow.
func (m *Machine) Start(now time.Time, cause string, limit time.Duration) error {
	if m.state != Serving {
		return ErrDraining
	}
	if limit <= 0 {
		limit = m.config.Limit
	}
	if m.news != nil { // of one that was called off a moment ago
		m.say(m.news(now))
	}
	m.run = run{state: Announcing, cause: cause, started: now, limited: now, deadline: now.Add(limit)}
	if m.config.Announce <= 0 {
		m.refuse()
	}
	return nil
}

// refuse lets no session in any more.
func (m *Machine) refuse() {
	m.state, m.actions.Admit, m.census.Refusing = Waiting, Refuse, false
}

// Signal tells of a signal. Step must follow. The first SIGTERM or SIGINT
// begins the drain, a second SIGINT forces it, a second SIGTERM shortens the
// limit to 10 s, a third of either ends it at once; what comes within 2 s of
// the one that counted before is the same signal again.
func (m *Machine) Signal(now time.Time, kind Kind) {
	if kind == Status {
		m.cadence.asked = true
		return
	}
	if m.signals > 0 && now.Sub(m.lastSignal) < repeatWithin {
		return
	}
	if m.state == Serving {
		_ = m.Start(now, kind.String(), 0) // it serves
	}
	m.signals++
	m.lastSignal = now
	switch {
	case m.signals >= 3:
		m.cut = true
	case m.signals == 2 && kind == Interrupt:
		m.force(now)
	case m.signals == 2:
		m.hurry(now)
	case m.cause != kind.String():
		m.cadence.asked = true // begun by a call: say that it goes on
	}
}

// force makes forcing begin at now.
func (m *Machine) force(now time.Time) {
	if m.state < Forcing {
		m.deadline, m.forced = earlier(now, m.deadline), true
	}
}

// hurry shortens the limit.
func (m *Machine) hurry(now time.Time) {
	if deadline := now.Add(hurryLimit); m.state < Forcing && deadline.Before(m.deadline) {
		m.hurried = true
		m.move(now, deadline, m.hurryLine)
	}
}

// Limit changes how long sessions may still stay. Step must follow.
func (m *Machine) Limit(now time.Time, limit time.Duration) error {
	switch m.state {
	case Serving:
		return ErrServing
	case Forcing, Stopped:
		return ErrForcing
	}
	m.move(now, now.Add(limit), m.limitLine)
	return nil
}

// move moves the deadline, and has everybody told.
func (m *Machine) move(now, deadline time.Time, line func(time.Time) Line) {
	longer := deadline.After(m.deadline)
	m.limited, m.deadline = now, deadline
	if m.state == Shedding {
		if longer && now.Before(m.window()) {
			m.state, m.shedAt = Waiting, time.Time{}
		} else {
			m.pace.until = deadline
		}
	}
	m.told, m.news = false, line
	m.cadence.deadline = deadline
}

// Cancel calls the drain off. Step must follow.
func (m *Machine) Cancel(now time.Time) error {
	switch {
	case m.state == Serving:
		return ErrServing
	case m.state >= Forcing, m.cut, m.refusing() && m.census.Open == 0:
		return ErrForcing
	}
	ended := m.run
	m.run = run{news: func(time.Time) Line { return ended.cancelLine(now, m.census) }}
	m.cadence = cadence{every: m.config.LogEvery, last: now}
	m.actions.Admit, m.actions.Tell, m.actions.Close = Resume, &Notice{Cancelled: true}, 0
	return nil
}
