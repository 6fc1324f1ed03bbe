package drain

import "time"

// enterForcing begins to close those that are left.
func (m *Machine) enterForcing(now time.Time) {
	m.state, m.forcedAt = Forcing, now
	m.again = now.Add(m.config.ForceOver * 3 / 5)
	m.pace.start(now, m.again, m.open)
	m.actions.Force = true
	m.cadence.said(now)
	m.say(m.forceLine())
}

// close has the next slice closed. Once all should have been told, it asks
// again for whoever is left: a fleet spreads a slice over its loops by guess,
// and may find fewer there than it guessed.
func (m *Machine) close(now time.Time) {
	n := m.pace.take(now, m.open)
	m.asked += n
	m.actions.Close = n
	if m.pace.pending == 0 && !now.Before(m.again) {
		m.actions.Close = m.open
		m.again = now.Add(time.Second)
	}
}

// gone returns how many sessions the machine had closed that are gone.
func (m *Machine) gone() int {
	closing := m.open - m.pace.pending // told to leave, not gone yet
	return max(m.asked-closing, 0)
}

// stop ends the drain.
func (m *Machine) stop(now time.Time) {
	o := &Outcome{
		Cause:       m.cause,
		Of:          m.of,
		Forced:      m.gone(),
		Open:        m.open,
		Waiting:     now.Sub(m.started),
		Undelivered: Unknown,
	}
	if !m.counted {
		o.Of, o.Open = Unknown, Unknown
	}
	if m.state == Forcing {
		o.Waiting, o.Forcing = m.forcedAt.Sub(m.started), now.Sub(m.forcedAt)
	}
	switch {
	case m.cut:
		o.Result, o.Exit = Forced, ExitSignals
	case m.open > 0 || !m.counted:
		o.Result, o.Exit = Forced, ExitWall
	case m.forced && m.state == Forcing:
		o.Result, o.Exit = Forced, ExitSignals
	case m.hurried:
		o.Result = Hurried
	case m.state == Forcing:
		o.Result = Forced
	}
	m.state = Stopped
	m.actions.Outcome = o
}
