package drain

import "time"

// sliceEvery is the time between two slices of sessions that are closed.
const sliceEvery = 100 * time.Millisecond

// pace closes a number of sessions evenly until a moment. It slows down by
// itself when sessions leave without being told to.
type pace struct {
	until   time.Time // all are told by then
	next    time.Time // the next slice is due
	pending int       // not told yet, at most
}

// start makes the first slice due at now and the last one just before until.
func (p *pace) start(now, until time.Time, pending int) {
	*p = pace{until: until, next: now, pending: pending}
}

// take returns how many sessions to close now, when remaining are open, told
// or not.
func (p *pace) take(now time.Time, remaining int) int {
	p.pending = min(p.pending, remaining)
	if p.pending == 0 || now.Before(p.next) {
		return 0
	}
	n := slice(p.pending, ticks(p.until.Sub(now)))
	p.pending -= n
	p.next = now.Add(sliceEvery)
	return n
}

// slice returns how many of remaining sessions to close in the first of the
// ticks that are left: at least one, and all of them in the last tick.
func slice(remaining, ticks int) int {
	ticks = max(ticks, 1)
	return (remaining + ticks - 1) / ticks
}

// ticks returns how many slices fit into d, the first of them now.
func ticks(d time.Duration) int {
	return int((d + sliceEvery - 1) / sliceEvery)
}
