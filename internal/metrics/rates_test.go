package metrics

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestRates_AreTheMeanOfTheLastTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var messages, deliveries atomic.Uint64
		r := NewRates(messages.Load, deliveries.Load)
		if got := r.PerSecond(0); got != 0 {
			t.Errorf("before it ran: %v", got)
		}
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan error)
		go func() { stopped <- r.Run(ctx) }()
		for range 30 {
			messages.Add(5)
			deliveries.Add(500)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if m, d := r.PerSecond(0), r.PerSecond(1); m != 5 || d != 500 {
			t.Errorf("steady: %v and %v a second, want 5 and 500", m, d)
		}
		for range 5 {
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if m := r.PerSecond(0); m < 2 || m > 3 {
			t.Errorf("five seconds after it stopped: %v a second, want about 2.5", m)
		}
		for range 10 {
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if m := r.PerSecond(0); m != 0 {
			t.Errorf("fifteen seconds after it stopped: %v a second, want 0", m)
		}
		stop()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
}
