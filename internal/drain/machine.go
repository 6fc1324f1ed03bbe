package drain

import "time"

// Machine decides what a drain does. It reads no clock and does nothing
// itself: tell it of signals, calls and news, call Step after each of them and
// when its last Actions say so, and do what Step returns. Times given to it
// must not go back. It is not safe for concurrent use.
type Machine struct {
	config Config
	run
	census  Census // the last one
	fresh   bool   // it came after the last Step
	staying int    // of those, not asked to be closed since
	pace    pace
	cadence cadence
	counts  count // at the last progress line

	actions Actions // gathered for the next Step to return
}

// count is how many sessions were gone at a time.
type count struct {
	at   time.Time
	gone int
}

// Actions is what to do now, in the order of the fields.
type Actions struct {
	// Lines go to the log.
	Lines []Line
	// Force says that publishes are refused from now on.
	Force bool
	// Admit says whether new sessions are let in from now on.
	Admit Admit
	// Tell is what all sessions are told; nil for nothing.
	Tell *Notice
	// Close is how many more sessions to end in order, or all that are left
	// to tell if those are fewer.
	Close int
	// Wake is when Step wants to be called again at the latest, with news;
	// zero: when something happens.
	Wake time.Time
	// Over says that the drain is: Outcome tells how.
	Over bool
}

// Admit is what changes for new sessions.
type Admit uint8

// The changes.
const (
	AsBefore Admit = iota
	Refuse         // and count who is there, in the next News
	Resume
)

// NewMachine returns a machine that is serving.
func NewMachine(config Config) *Machine {
	config = config.withDefaults()
	return &Machine{config: config, cadence: cadence{every: config.LogEvery}}
}

// State returns how far the drain is.
func (m *Machine) State() State { return m.state }

// News tells how many sessions there are. Step must follow.
func (m *Machine) News(c Census) {
	m.census, m.staying, m.fresh = c, c.Staying, true
	if m.state == Serving || m.state == Stopped || m.state == Waiting && !c.Refusing {
		return
	}
	if !m.counted {
		m.counted, m.before = true, c
	}
}

// Empty tells that admitting has stopped and nobody is left. Step must
// follow.
func (m *Machine) Empty() {
	m.census.Open, m.census.Staying, m.census.Refusing = 0, 0, true
	m.staying = 0
}

// Step moves the machine to now.
func (m *Machine) Step(now time.Time) Actions {
	switch {
	case m.state == Serving:
		m.serving(now)
	case m.state == Stopped:
	case m.over(now):
		m.state, m.ended, m.actions.Over = Stopped, now, true
	case m.counted:
		m.advance(now)
	}
	m.fresh = false
	actions := m.actions
	m.actions = Actions{}
	if !actions.Over {
		actions.Wake = m.wake(now)
	}
	return actions
}

// refusing reports whether admitting has stopped and all are counted.
func (m *Machine) refusing() bool {
	return m.state >= Waiting && m.counted && m.census.Refusing
}

// over reports whether the drain ends now, whatever else is to be done.
func (m *Machine) over(now time.Time) bool {
	return m.cut || m.refusing() && m.census.Open == 0 || !now.Before(m.wall())
}

func (m *Machine) wall() time.Time { return m.deadline.Add(m.config.Wall) }

// window returns when shedding begins, as things stand.
func (m *Machine) window() time.Time {
	return m.deadline.Add(-window(m.deadline.Sub(m.limited), m.staying, m.config.MaxRate))
}

// announced returns when announcing ends.
func (m *Machine) announced() time.Time {
	return earlier(m.started.Add(m.config.Announce), m.window())
}

// lookEvery is how long it takes to see that all have left while others are
// still let in.
const lookEvery = 200 * time.Millisecond

// wake returns when the next Step is due.
func (m *Machine) wake(now time.Time) time.Time {
	switch {
	case m.state == Serving && m.cadence.asked && now.Before(m.cadence.earliest()):
		return m.cadence.earliest()
	case m.state == Serving || m.state == Stopped:
		return time.Time{}
	}
	next := earlier(now.Add(time.Second), m.wall()) // look how many are left
	if !m.counted || m.state == Waiting && !m.census.Refusing {
		return next
	}
	switch m.state {
	case Announcing: // nothing says when it is empty: others may come
		next = earlier(earlier(next, now.Add(lookEvery)), m.announced())
	case Waiting:
		next = earlier(next, m.window())
	case Shedding:
		next = earlier(next, m.deadline)
	}
	if m.state >= Shedding && m.staying > 0 {
		next = earlier(next, m.pace.next)
	}
	if m.begun && (m.state < Forcing || m.cadence.asked) {
		next = earlier(next, m.cadence.wake())
	}
	return next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
