package drain

import "time"

const (
	// minGap is the least time between two progress lines.
	minGap = time.Second
	// slack is how much earlier than minGap a regular line may fall due and
	// is still said, a little late; timers are not exact.
	slack = 100 * time.Millisecond
)

// cadence says when a progress line is due. Regular lines fall on round times
// until the deadline, so that a reader sees 19m, 18m, … and 3s, 2s, 1s.
type cadence struct {
	every    time.Duration // fixed interval; 0 is the standard cadence
	started  time.Time
	deadline time.Time
	last     time.Time // the last line, of any kind
	regular  time.Time // the next regular line
	tenth    int       // tenths of the sessions that had left at the last line
	asked    bool      // somebody wants a line now
}

// start begins the cadence of a drain.
func (c *cadence) start(now, deadline time.Time) {
	c.started, c.deadline, c.tenth = now, deadline, 0
	c.said(now)
}

// said notes that a line is logged at now.
func (c *cadence) said(now time.Time) {
	c.last = now
	c.regular = c.slot(now.Add(minGap - slack))
}

// due reports whether a progress line is to be logged at now, when tenth
// tenths of the sessions have left. It takes the line for said.
func (c *cadence) due(now time.Time, tenth int) bool {
	byTenth := c.every == 0 && tenth > c.tenth
	if !c.asked && !byTenth && now.Before(c.regular) || now.Before(c.earliest()) {
		return false
	}
	c.asked, c.tenth = false, tenth
	c.said(now)
	return true
}

// wake returns when due may next be true without anybody leaving.
func (c *cadence) wake() time.Time {
	if c.asked || c.regular.Before(c.earliest()) {
		return c.earliest()
	}
	return c.regular
}

func (c *cadence) earliest() time.Time {
	if c.last.IsZero() {
		return c.last
	}
	return c.last.Add(minGap)
}

// slot returns the first regular time that is not before t.
func (c *cadence) slot(t time.Time) time.Time {
	if c.every > 0 {
		n := (t.Sub(c.started) + c.every - 1) / c.every
		return c.started.Add(n * c.every)
	}
	left := c.deadline.Sub(t)
	if left < time.Second {
		return c.deadline
	}
	return c.deadline.Add(-left.Truncate(interval(left)))
}

// interval returns the time between regular lines when left is left.
func interval(left time.Duration) time.Duration {
	switch {
	case left > 10*time.Minute:
		return time.Minute
	case left > 2*time.Minute:
		return 30 * time.Second
	case left > 10*time.Second:
		return 10 * time.Second
	default:
		return time.Second
	}
}

// tenths returns how many tenths of the sessions have left.
func tenths(of, remaining int) int {
	if of <= 0 {
		return 0
	}
	return max(of-remaining, 0) * 10 / of
}
