package drain

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestWindow_IsAFifthOfTheLimitWithinItsBounds(t *testing.T) {
	tests := []struct {
		limit   time.Duration
		n, rate int
		want    time.Duration
	}{
		{30 * time.Minute, 1000, 500, 6 * time.Minute},
		{time.Hour, 1000, 500, 10 * time.Minute},
		{5 * time.Hour, 1000, 500, 10 * time.Minute},
		{2 * time.Minute, 1000, 500, 30 * time.Second},
		{time.Minute, 1000, 500, 30 * time.Second},
		{40 * time.Second, 1000, 500, 20 * time.Second},
		{10 * time.Second, 1000, 500, 5 * time.Second},
		{time.Second, 0, 500, 500 * time.Millisecond},
		{30 * time.Minute, 180_000, 500, 378 * time.Second}, // as many as six minutes hold, and a twentieth
		{30 * time.Minute, 500_000, 500, 1050 * time.Second},
		{30 * time.Minute, 5_000_000, 500, 30 * time.Minute}, // too many for the limit
		{10 * time.Second, 100, 1, 10 * time.Second},
	}
	for _, tt := range tests {
		if got := window(tt.limit, tt.n, tt.rate); got != tt.want {
			t.Errorf("window(%v, %d, %d/s) = %v, want %v", tt.limit, tt.n, tt.rate, got, tt.want)
		}
	}
}

// TestPace_ClosesEvenlyUntilTheEnd has nobody leave by themselves: at no time
// has it closed more or fewer than an even pace would, but for one.
func TestPace_ClosesEvenlyUntilTheEnd(t *testing.T) {
	seeds(t, 300, func(t *testing.T, r *rand.Rand) {
		n, over := r.IntN(20_000), time.Duration(1+r.IntN(6000))*sliceEvery
		began := time.Unix(0, 0)
		var p pace
		p.start(began, began.Add(over), 0)
		staying := n
		for now := began; now.Before(began.Add(over)); now = now.Add(sliceEvery) {
			staying -= p.take(now, staying)
			even := float64(n) * (1 - float64(now.Sub(began)+sliceEvery)/float64(over))
			if off := float64(staying) - even; off < -1.01 || off > 1.01 {
				t.Fatalf("%d of %d over %v: %d are left after %v, an even pace leaves %.1f", n, n, over, staying, now.Sub(began), even)
			}
		}
		if staying != 0 {
			t.Errorf("%d of %d remain after %v", staying, n, over)
		}
	})
}

func TestPace_CatchesUpWhenLateAndSlowsDownWhenSessionsLeave(t *testing.T) {
	now := time.Unix(0, 0)
	var p pace
	p.start(now, now.Add(time.Second), 0)
	take := func(after time.Duration, staying, want int) {
		t.Helper()
		if got := p.take(now.Add(after), staying); got != want {
			t.Errorf("after %v with %d staying: %d, want %d", after, staying, got, want)
		}
	}
	take(0, 1000, 100)
	take(50*time.Millisecond, 900, 0)  // not due
	take(100*time.Millisecond, 90, 10) // most have left by themselves
	take(600*time.Millisecond, 80, 50) // four slices late
	take(5*time.Second, 30, 30)        // past the end
	take(5050*time.Millisecond, 3, 0)
	take(5100*time.Millisecond, 3, 3) // the fleet had missed some
}

func TestPace_KeepsToTheRate(t *testing.T) {
	seeds(t, 200, func(t *testing.T, r *rand.Rand) {
		rate := 1 + r.IntN(1000)
		over := time.Duration(1+r.IntN(60)) * time.Second
		began := time.Unix(0, 0)
		var p pace
		p.start(began, began.Add(over), rate)
		staying, last := 1_000_000, began
		for now := began; now.Before(began.Add(over)); {
			n := p.take(now, staying)
			staying -= n
			if most := max(1, 2*float64(rate)*sliceEvery.Seconds()); float64(n) > most {
				t.Fatalf("%d at once at %d a second, %v after the slice before", n, rate, now.Sub(last))
			}
			last = now
			now = now.Add(time.Duration(1+r.IntN(300)) * time.Millisecond)
		}
		if done, most := 1_000_000-staying, float64(rate)*over.Seconds()+2; float64(done) > most {
			t.Errorf("%d within %v at %d a second", done, over, rate)
		}
	})
}
