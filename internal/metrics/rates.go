package metrics

import (
	"context"
	"sync"
	"time"
)

// rateWindow is how many seconds a rate is the mean of.
const rateWindow = 10

// Rates turns counters into rates, the mean of the last ten seconds.
type Rates struct {
	// Static after construction.
	counters []func() uint64

	mu      sync.Mutex
	samples [rateWindow + 1]sample // guarded by mu; a ring
	taken   int                    // guarded by mu; samples ever taken
}

type sample struct {
	at     time.Time
	values []uint64
}

// NewRates returns the rates of the given counters. They are 0 until Run has
// watched for a second.
func NewRates(counters ...func() uint64) *Rates { return &Rates{counters: counters} }

// Run samples the counters every second until ctx ends.
func (r *Rates) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	r.sample(time.Now())
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			r.sample(now)
		}
	}
}

func (r *Rates) sample(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.samples[r.taken%len(r.samples)]
	s.at = now
	s.values = s.values[:0]
	for _, read := range r.counters {
		s.values = append(s.values, read())
	}
	r.taken++
}

// PerSecond returns the rate of the i-th counter given to NewRates.
func (r *Rates) PerSecond(i int) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken < 2 {
		return 0
	}
	newest := r.samples[(r.taken-1)%len(r.samples)]
	oldest := r.samples[max(0, r.taken-len(r.samples))%len(r.samples)]
	return float64(newest.values[i]-oldest.values[i]) / newest.at.Sub(oldest.at).Seconds()
}
