package loadgen

import (
	"context"
	"time"
)

// Process is the number of a process on this machine whose use of memory and
// processor is measured.
type Process int

// How Settled tells that memory has stopped changing.
const (
	sampleEvery = 250 * time.Millisecond
	calmSamples = 8
	calmShare   = 200 // half a percent
)

// Settled waits until the memory of the process has stayed within half a
// percent for 2 seconds, at most for as long as given, and returns it. A
// collector that gives memory back, or one that has not yet, is thus waited for.
func (p Process) Settled(ctx context.Context, atMost time.Duration) (int64, error) {
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	deadline := time.Now().Add(atMost)
	var low, high int64
	for calm := 0; ; {
		now, err := p.Resident()
		if err != nil {
			return 0, err
		}
		low, high = min(low, now), max(high, now)
		if calm++; calm == 1 || (high-low)*calmShare > high {
			low, high, calm = now, now, 1
		}
		if calm > calmSamples || time.Now().After(deadline) {
			return now, nil
		}
		select {
		case <-ctx.Done():
			return now, nil
		case <-ticker.C:
		}
	}
}
