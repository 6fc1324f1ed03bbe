package drain

import "time"

// advance does what the state asks for while sessions are left.
func (m *Machine) advance(now time.Time) {
	if m.state == Announcing && (m.census.Open == 0 || !now.Before(m.announced())) {
		m.refuse() // and wait until all are counted
	}
	if m.census.Open == 0 {
		return
	}
	switch {
	case !m.begun:
		m.begin(now)
	case m.news != nil:
		m.cadence.said(now)
		m.say(m.news(now))
	}
	m.news = nil
	if !m.told {
		m.tell()
	}
	if m.refusing() {
		m.end(now)
	}
	if m.state < Forcing || m.cadence.asked {
		m.progress(now)
	}
}

// begin says that the drain has begun and starts the cadence.
func (m *Machine) begin(now time.Time) {
	m.begun = true
	m.cadence.start(now, m.deadline)
	m.counts = count{at: now}
	m.say(m.startLine(now))
}

// tell has all sessions told how the drain stands.
func (m *Machine) tell() {
	m.told = true
	n := &Notice{ForcedAt: m.deadline}
	switch {
	case !m.config.Invite:
	case m.state == Shedding:
		n.MoveBy = m.deadline
	default:
		n.MoveBy = m.window()
	}
	m.actions.Tell = n
}

// end closes sessions when their time has come.
func (m *Machine) end(now time.Time) {
	switch {
	case m.state < Forcing && !now.Before(m.deadline):
		m.enterForcing(now)
	case m.state == Waiting && !now.Before(m.window()):
		m.enterShedding(now)
	}
	if m.state >= Shedding {
		m.actions.Close = m.pace.take(now, m.staying)
		m.staying -= m.actions.Close
	}
}

// enterShedding begins to close sessions, evenly until the limit.
func (m *Machine) enterShedding(now time.Time) {
	m.state, m.shedAt = Shedding, now
	m.pace.start(now, m.deadline, m.config.MaxRate)
	m.cadence.said(now)
	m.say(m.shedLine(now))
}

// enterForcing begins to close those that are left.
func (m *Machine) enterForcing(now time.Time) {
	m.state, m.forcedAt = Forcing, now
	m.shed = m.census.Restarts - m.before.Restarts
	m.pace.start(now, now.Add(m.config.ForceOver*3/5), 0)
	m.actions.Force = true
	m.cadence.said(now)
	m.say(m.forceLine())
}
