package loadgen

import (
	"math/rand/v2"
	"testing"
)

func TestTally_CountsWhatIsNotInOrder(t *testing.T) {
	for _, c := range []struct {
		name                                  string
		seqs                                  []uint64
		delivered, lost, repeated, outOfOrder uint64
	}{
		{"in order", []uint64{1, 2, 3}, 3, 0, 0, 0},
		{"the first is lost", []uint64{2, 3}, 2, 1, 0, 0},
		{"three are lost", []uint64{1, 5, 6}, 3, 3, 0, 0},
		{"one comes late", []uint64{1, 3, 2, 4}, 4, 0, 0, 1},
		{"the first comes last", []uint64{2, 3, 1}, 3, 0, 0, 1},
		{"repeated at once", []uint64{1, 1, 2}, 2, 0, 1, 0},
		{"repeated later", []uint64{1, 2, 3, 2}, 3, 0, 1, 0},
		{"late, and then again", []uint64{1, 3, 2, 2}, 3, 0, 1, 1},
		{"far ahead", []uint64{1, 100, 101}, 3, 98, 0, 0},
		{"too far behind to tell", []uint64{1, 100, 2}, 2, 98, 1, 0},
		{"number 0 is never sent", []uint64{0, 1}, 1, 0, 1, 0},
	} {
		tally := newTally(2)
		for _, seq := range c.seqs {
			tally.arrived(1, seq)
		}
		if tally.delivered != c.delivered || tally.lost != c.lost || tally.repeated != c.repeated || tally.outOfOrder != c.outOfOrder {
			t.Errorf("%s: delivered %d, lost %d, repeated %d, out of order %d",
				c.name, tally.delivered, tally.lost, tally.repeated, tally.outOfOrder)
		}
	}
}

// Whatever order 1 to n arrive in, each within 64 of its place, all are
// delivered and none is lost or repeated.
func TestTally_TellsLateFromLost(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		seqs := make([]uint64, 300)
		for i := range seqs {
			seqs[i] = uint64(i + 1)
		}
		for i := 0; i+32 < len(seqs); i += 32 {
			random.Shuffle(32, func(a, b int) { seqs[i+a], seqs[i+b] = seqs[i+b], seqs[i+a] })
		}
		tally := newTally(1)
		for _, seq := range seqs {
			tally.arrived(0, seq)
		}
		if tally.delivered != 300 || tally.lost+tally.repeated != 0 {
			t.Fatalf("delivered %d, lost %d, repeated %d of %v", tally.delivered, tally.lost, tally.repeated, seqs)
		}
	}
}
