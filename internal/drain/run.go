package drain

import "time"

// run is one drain, from its start until it is over or called off.
type run struct {
	state   State
	cause   string
	counted bool // the fleet has been counted since it began
	begun   bool // and the log says so
	told    bool // and the sessions know of it, and of its limit

	news func(time.Time) Line // to be said when the sessions have been counted again; nil for none

	started  time.Time
	limited  time.Time // when the limit began to count: at the start, or when it was changed
	deadline time.Time // when forcing begins at the latest
	shedAt   time.Time // when shedding began
	forcedAt time.Time // when forcing began
	ended    time.Time

	before Census // what had been counted when it began
	shed   int    // restarts until forcing began

	signals    int // that counted
	lastSignal time.Time
	forced     bool // by a signal, not by the limit
	hurried    bool // by a signal: the limit was shortened
	cut        bool // by the third signal
}

// Tally is what became of the sessions that a drain is about.
type Tally struct {
	Of        int // sessions that were open when it began, or came while it was announced
	Remaining int // of those, open still
	Left      int // left by themselves
	Moved     int // left by themselves after they had been invited to
	Shed      int // closed while shedding
	Forced    int // closed by force
}

// tally returns what became of the sessions, when so many are left.
func (r *run) tally(c Census) Tally {
	t := Tally{
		Of:        r.before.Open + c.Admitted - r.before.Admitted,
		Remaining: c.Open,
		Moved:     c.Moved - r.before.Moved,
		Shed:      c.Restarts - r.before.Restarts,
	}
	here := c.Staying
	if !c.Refusing {
		here = c.Open // some may still be on their way in
	}
	t.Left = max(t.Of-here-t.Moved-t.Shed, 0)
	if !r.forcedAt.IsZero() {
		t.Forced = t.Shed - r.shed
		t.Shed = r.shed
	}
	return t
}
