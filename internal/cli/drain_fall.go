package cli

import "time"

// drainFall is the sessions of a drain over time, as far as it was watched.
type drainFall struct {
	samples []drainSample
}

type drainSample struct {
	at        time.Time
	remaining int64
}

const (
	maxSamples = 4096             // beyond that, every second one is forgotten
	paceOver   = 30 * time.Second // what counts as the present
)

// add takes in one look.
func (f *drainFall) add(at time.Time, remaining int64) {
	if len(f.samples) == maxSamples {
		for i := range maxSamples / 2 {
			f.samples[i] = f.samples[2*i]
		}
		f.samples = f.samples[:maxSamples/2]
	}
	f.samples = append(f.samples, drainSample{at, remaining})
}

// rate returns how many sessions a second leave at present; 0 while that is
// not known.
func (f *drainFall) rate() float64 {
	if len(f.samples) == 0 {
		return 0
	}
	last := f.samples[len(f.samples)-1]
	first := last
	for i := len(f.samples) - 1; i >= 0 && last.at.Sub(f.samples[i].at) <= paceOver; i-- {
		first = f.samples[i]
	}
	took := last.at.Sub(first.at)
	if took < time.Second {
		return 0
	}
	return max(0, float64(first.remaining-last.remaining)/took.Seconds())
}

// at returns how many remained at t, interpolated between the start and the
// first look; known is false for that.
func (f *drainFall) at(t time.Time, p *drainProgress) (remaining float64, known bool) {
	first := f.samples[0]
	if t.Before(first.at) {
		share := 1.0
		if span := first.at.Sub(p.StartedAt); span > 0 {
			share = t.Sub(p.StartedAt).Seconds() / span.Seconds()
		}
		return float64(p.Of) + share*float64(first.remaining-p.Of), false
	}
	found := first
	for _, s := range f.samples {
		if s.at.After(t) {
			break
		}
		found = s
	}
	return float64(found.remaining), true
}

// projection is how a drain goes on if sessions leave as they do at present.
type projection struct {
	now       time.Time
	remaining float64
	rate      float64 // a second
	shedAt    time.Time
	forcedAt  time.Time
	ends      time.Time // nobody is left
	closed    float64   // left to the server when shedding begins; 0 when all are gone by then
}

// project projects the drain from what it did.
func (f *drainFall) project(now time.Time, p *drainProgress) projection {
	j := projection{now: now, remaining: float64(p.Remaining), rate: f.rate(), shedAt: p.ShedAt, forcedAt: p.ForcedAt}
	from := j.shedAt
	if from.Before(now) {
		from = now
	}
	j.closed = j.remaining - j.rate*from.Sub(now).Seconds()
	if j.closed > 0 {
		j.ends = j.forcedAt
		return j
	}
	j.closed = 0
	j.ends = now.Add(time.Duration(j.remaining / j.rate * float64(time.Second)))
	return j
}

// at returns how many remain at a time to come.
func (j *projection) at(t time.Time) float64 {
	from := j.shedAt
	if from.Before(j.now) {
		from = j.now
	}
	if j.closed == 0 || t.Before(from) {
		return max(0, j.remaining-j.rate*t.Sub(j.now).Seconds())
	}
	window := j.forcedAt.Sub(from)
	if window <= 0 {
		return 0
	}
	return max(0, j.closed*j.forcedAt.Sub(t).Seconds()/window.Seconds())
}
