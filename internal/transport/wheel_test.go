package transport

import (
	"math/rand/v2"
	"testing"
)

// TestWheel_BringsEachUpWhenDue sets, clears and moves timers at random,
// against a plain map.
func TestWheel_BringsEachUpWhenDue(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 2))
	var tab table
	w := wheel{table: &tab, now: 1}
	var conns []*conn
	for range 300 {
		conns = append(conns, tab.take())
	}
	due := make(map[*conn]tick)
	for range 3000 {
		c := conns[rng.IntN(len(conns))]
		switch rng.IntN(5) {
		case 0:
			w.clear(c)
			delete(due, c)
		case 1:
			now := w.now + tick(rng.IntN(700))
			w.advance(now, func(c *conn) {
				if due[c] != w.now {
					t.Fatalf("a timer for %d came up at %d", due[c], w.now)
				}
				delete(due, c)
				if rng.IntN(2) == 0 {
					after := tick(rng.IntN(2 * buckets))
					w.set(c, after)
					due[c] = w.now + max(1, after)
				}
			})
			for _, at := range due {
				if at <= w.now {
					t.Fatalf("a timer for %d was not brought up by %d", at, w.now)
				}
			}
		default:
			after := tick(rng.IntN(3 * buckets))
			w.set(c, after)
			due[c] = w.now + max(1, after)
		}
	}
}
