package schedule

import "sync/atomic"

// tally counts what became of one schedule's ticks.
type tally struct {
	published, failed, skipped atomic.Int64
}

// Counts says what became of a schedule's ticks since Run began.
type Counts struct {
	Name      string
	Published int64 // messages
	Failed    int64 // publishes that returned an error
	Skipped   int64 // ticks that were missed
}

// Counts returns the counts of every schedule, in their order. It may be
// called at any time by many goroutines.
func (r *Runner) Counts() []Counts {
	counts := make([]Counts, len(r.schedules))
	for i := range r.schedules {
		t := &r.tallies[i]
		counts[i] = Counts{
			Name:      r.schedules[i].Name,
			Published: t.published.Load(),
			Failed:    t.failed.Load(),
			Skipped:   t.skipped.Load(),
		}
	}
	return counts
}
