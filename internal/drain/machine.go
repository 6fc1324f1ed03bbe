package drain

import "time"

// Unknown stands for the number of open sessions when there is no news of it.
const Unknown = -1

// Machine decides what a drain does. It reads no clock and does nothing
// itself: tell it of signals, call Step when its last Actions say so, after a
// signal and when the fleet is empty, and do what Step returns. Times given to
// it must not go back. It is not safe for concurrent use.
type Machine struct {
	config Config

	state    State
	cause    string
	started  time.Time
	deadline time.Time // when forcing begins at the latest
	forcedAt time.Time // when it began
	of       int       // sessions open when admitting stopped
	open     int       // sessions open at the last news
	counted  bool      // of and open are known

	signals    int // that counted
	lastSignal time.Time
	forced     bool // by a signal, not by the limit
	hurried    bool // the limit was shortened
	tellHurry  bool // and nobody was told yet
	cut        bool // by the third signal

	asked   int       // sessions that were told to leave
	again   time.Time // when to ask anew for all that are left
	pace    pace
	cadence cadence
	counts  count // at the last progress line

	actions Actions // gathered for the next Step to return
}

// count is how many sessions were open at a time.
type count struct {
	at   time.Time
	open int
}

// Actions is what to do now, in the order of the fields.
type Actions struct {
	// Lines go to the log.
	Lines []Line
	// Refuse says to admit no session any more, as of now, and to call Step
	// with the number of those open then.
	Refuse bool
	// Force says that publishes are refused from now on.
	Force bool
	// Close is how many more sessions to end in order, or all that are left
	// to tell if those are fewer.
	Close int
	// Wake is when Step wants to be called again at the latest, with news;
	// zero: when something happens.
	Wake time.Time
	// Outcome is set when the drain is over. Its Line is the last one.
	Outcome *Outcome
}

// NewMachine returns a machine that is serving.
func NewMachine(config Config) *Machine {
	config = config.withDefaults()
	return &Machine{config: config, cadence: cadence{every: config.LogEvery}}
}

// State returns how far the drain is.
func (m *Machine) State() State { return m.state }

// Start begins a drain; cause says what asked for it. Step must follow. Start
// does nothing when a drain goes on already.
func (m *Machine) Start(now time.Time, cause string) {
	if m.state != Serving {
		return
	}
	m.state, m.cause = Waiting, cause
	m.started, m.deadline = now, now.Add(m.config.Limit)
	m.actions.Refuse = true
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
	m.signals++
	m.lastSignal = now
	switch {
	case m.state == Serving:
		m.Start(now, kind.String())
	case m.signals >= 3:
		m.cut = true
	case m.signals == 2 && kind == Interrupt:
		m.force(now)
	case m.signals == 2:
		m.hurry(now)
	}
}

// Step moves the machine to now, when open sessions are left, or Unknown.
func (m *Machine) Step(now time.Time, open int) Actions {
	fresh := m.news(now, open)
	switch {
	case m.state == Serving:
		m.serving(now, fresh)
	case m.state == Stopped:
	case m.over(now):
		m.stop(now)
	case m.counted:
		m.advance(now)
	}
	actions := m.actions
	m.actions = Actions{}
	if actions.Outcome == nil {
		actions.Wake = m.wake(now)
	}
	return actions
}

// news takes down how many sessions are open and reports whether it was told.
func (m *Machine) news(now time.Time, open int) bool {
	if open < 0 {
		return false
	}
	m.open = open
	if m.state == Serving || m.counted || m.actions.Refuse {
		return true
	}
	m.counted = true
	m.of = open
	if open > 0 {
		m.begin(now)
	}
	return true
}

// over reports whether the drain ends now, whatever else is to be done.
func (m *Machine) over(now time.Time) bool {
	return m.cut || m.counted && m.open == 0 || !now.Before(m.wall())
}

func (m *Machine) wall() time.Time { return m.deadline.Add(m.config.Wall) }

// advance does what the state asks for while sessions are left.
func (m *Machine) advance(now time.Time) {
	if m.tellHurry {
		m.tellHurry = false
		m.cadence.move(now, m.deadline)
		m.say(m.hurryLine(now))
	}
	if m.state == Waiting && !now.Before(m.deadline) {
		m.enterForcing(now)
	}
	if m.state == Forcing {
		m.close(now)
	}
	if m.state == Waiting || m.cadence.asked {
		m.progress(now)
	}
}

// begin says that the drain has begun and starts the cadence.
func (m *Machine) begin(now time.Time) {
	m.cadence.start(now, m.deadline)
	m.counts = count{now, m.open}
	m.say(m.startLine(now))
}

// force makes forcing begin at now.
func (m *Machine) force(now time.Time) {
	if m.state != Waiting {
		return
	}
	m.deadline, m.forced = earlier(now, m.deadline), true
}

// hurry shortens the limit.
func (m *Machine) hurry(now time.Time) {
	deadline := now.Add(hurryLimit)
	if m.state != Waiting || deadline.After(m.deadline) {
		return
	}
	m.deadline, m.hurried, m.tellHurry = deadline, true, true
}

// wake returns when the next Step is due.
func (m *Machine) wake(now time.Time) time.Time {
	switch {
	case m.state == Serving && m.cadence.asked && now.Before(m.cadence.earliest()):
		return m.cadence.earliest()
	case m.state == Serving || m.state == Stopped:
		return time.Time{}
	case !m.counted:
		return m.wall()
	}
	next := now.Add(time.Second) // look how many are left
	if m.state == Waiting {
		next = earlier(next, m.deadline)
	}
	if m.state == Waiting || m.cadence.asked {
		next = earlier(next, m.cadence.wake())
	}
	switch {
	case m.pace.pending > 0:
		next = earlier(next, m.pace.next)
	case m.state == Forcing:
		next = earlier(next, m.again)
	}
	return earlier(next, m.wall())
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
