package drain

import "time"

// sliceEvery is the time between two slices of sessions that are closed.
const sliceEvery = 100 * time.Millisecond

// pace closes sessions evenly until a moment: every 100 ms as many as are
// left for each of the slices to come. So it slows down by itself when
// sessions leave without being told to, and ends on time.
type pace struct {
	until  time.Time // all are told by then
	next   time.Time // the next slice is due
	rest   float64   // of a session, owed from earlier slices
	rate   float64   // sessions a second at most; 0 is no bound
	credit float64   // sessions that the rate allows now
}

// start makes the first slice due at now and the last one just before until.
func (p *pace) start(now, until time.Time, rate int) {
	*p = pace{until: until, next: now, rate: float64(rate)}
}

// take returns how many of the staying sessions to close now. Slices that
// were missed are made up for, as far as the rate allows.
func (p *pace) take(now time.Time, staying int) int {
	if now.Before(p.next) {
		return 0
	}
	due := 1 + int(now.Sub(p.next)/sliceEvery)
	p.next = p.next.Add(time.Duration(due) * sliceEvery)
	n := p.bound(p.share(staying, due, slices(p.until.Sub(now))), due)
	if n == staying {
		p.rest = 0
	}
	return n
}

// share returns how many of the staying sessions fall to due slices, the last
// of which is the first of those that are left: all of them at the end.
func (p *pace) share(staying, due, left int) int {
	if left <= 1 {
		return staying
	}
	p.rest += (float64(staying) - p.rest) * float64(due) / float64(due-1+left)
	n := int(p.rest)
	p.rest -= float64(n)
	return min(n, staying)
}

// bound returns as much of n as the rate allows. Two slices' worth can be
// saved up, and one session.
func (p *pace) bound(n, due int) int {
	if p.rate == 0 {
		return n
	}
	slice := p.rate * sliceEvery.Seconds()
	p.credit = min(p.credit+slice*float64(due), max(2*slice, 1))
	n = min(n, int(p.credit+1e-9))
	p.credit -= float64(n)
	return n
}

// slices returns how many slices fit into d, the first of them now.
func slices(d time.Duration) int {
	return int((d + sliceEvery - 1) / sliceEvery)
}
