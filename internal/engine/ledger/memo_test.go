package ledger

import (
	"math/rand/v2"
	"testing"
)

// TestMemo_IsNeverTooSure runs random use against the truth: what it says may
// be too high, never too low; and for those noted of late and those listened
// to it is exact.
func TestMemo_IsNeverTooSure(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var m memo
	truth := make(map[uint64]uint64)
	recent := make(map[uint64]int)
	steps, seq := 0, uint64(0)
	for range 40_000 {
		h := rng.Uint64N(9000)
		seq++
		switch rng.IntN(4) {
		case 0, 1:
			if _, pinned := m.pinned[h]; !pinned {
				m.take(h)
				truth[h] = seq
				m.note(h, seq)
				steps++
				recent[h] = steps
			}
		case 2:
			m.pin(h)
		case 3:
			if _, pinned := m.pinned[h]; pinned {
				m.unpin(h)
				steps++
				recent[h] = steps
			}
		}
		floor := m.floor(h)
		if floor < truth[h] {
			t.Fatalf("channel %d: messages up to %d are gone, it says %d", h, truth[h], floor)
		}
		if at, ok := recent[h]; ok && steps-at < notes && floor != truth[h] && floor > m.below {
			t.Fatalf("channel %d: messages up to %d are gone, it says %d", h, truth[h], floor)
		}
	}
	if len(m.young) > notes || len(m.old) > notes {
		t.Errorf("%d and %d notes", len(m.young), len(m.old))
	}
}
