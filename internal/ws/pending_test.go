package ws

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestReader_GoesOnElsewhereFromAnyByte cuts conversations at every byte, has
// a second Reader begin with what is pending in the first, and wants the same
// of it.
func TestReader_GoesOnElsewhereFromAnyByte(t *testing.T) {
	seed := cmp.Or(*seedFlag, rand.Uint64())
	t.Logf("to see the same again: go test -run %s -seed %d", t.Name(), seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 60 {
		lim := Limits{MaxMessage: 1 << (4 + random.IntN(8)), Deflate: random.IntN(2) == 0, Client: random.IntN(8) == 0}
		in := conversation(random, lim)
		for at := range len(in) {
			var first, stays Reader
			before := record(&first, lim, bytes.Clone(in[:at]))
			want := record(&stays, lim, bytes.Clone(in[:at]), bytes.Clone(in[at:]))
			if first.s != nil && first.s.end != nil {
				break
			}
			pending := first.Pending(lim)
			if (pending != nil) != first.Unfinished() {
				t.Fatalf("% x at %d: % x is pending, unfinished %v", in, at, pending, first.Unfinished())
			}
			var second Reader
			if got := record(&second, lim, pending); len(got) > 0 {
				t.Fatalf("% x at %d: what is pending emits %q", in, at, got)
			}
			if second.Unfinished() != first.Unfinished() {
				t.Fatalf("% x at %d: unfinished %v here, %v there", in, at, first.Unfinished(), second.Unfinished())
			}
			got := append(before, record(&second, lim, bytes.Clone(in[at:]))...)
			if !slices.Equal(got, want) {
				t.Fatalf("% x at %d:\nhere  %q\nthere %q", in, at, want, got)
			}
		}
	}
}
