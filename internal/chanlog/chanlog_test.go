package chanlog

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"
)

func entry(seq uint64, size int) *Entry { return &Entry{Seq: seq, Frame: make([]byte, size)} }

func TestLog_ReadersWalkWhileItGrowsAndForgets(t *testing.T) {
	const messages, readers = 20_000, 4
	var l Log
	first := entry(1, 1)
	l.Append(first)
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			want := uint64(1)
			for e := first; want < messages; {
				next := e.Next()
				if next == nil {
					continue
				}
				if want++; next.Seq != want {
					t.Errorf("entry %d follows %d", next.Seq, e.Seq)
					return
				}
				e = next
			}
		})
	}
	for seq := uint64(2); seq <= messages; seq++ {
		l.Append(entry(seq, 1))
		if l.Len() > 10 {
			l.Drop()
		}
	}
	wg.Wait()
}

// TestLog_ResumesFromEveryId runs random appends and drops against a plain
// list, and asks for what follows each id there was and those between.
func TestLog_ResumesFromEveryId(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for round := range 60 {
		var l Log
		var held []uint64
		var last, gone uint64
		if rng.IntN(2) == 0 {
			last = rng.Uint64N(5)
			gone = last
			l.Skip(last)
		}
		for range rng.IntN(40 << (round % 5)) {
			switch {
			case len(held) > 0 && rng.IntN(5) < 2:
				if e := l.Drop(); e.Seq != held[0] {
					t.Fatalf("dropped %d, want %d", e.Seq, held[0])
				}
				gone, held = held[0], held[1:]
			default:
				last += 1 + rng.Uint64N(3)
				l.Append(entry(last, 1+rng.IntN(9)))
				held = append(held, last)
			}
		}
		for seq := range last + 4 {
			checkAfter(t, &l, held, seq, seq >= gone)
		}
		for n := range len(held) + 2 {
			checkNewest(t, &l, held, n)
		}
		if l.Len() != len(held) || l.Last() != last {
			t.Fatalf("%d held, last %d; want %d and %d", l.Len(), l.Last(), len(held), last)
		}
	}
}

func checkAfter(t *testing.T, l *Log, held []uint64, seq uint64, complete bool) {
	t.Helper()
	first, all := l.After(seq)
	if all != complete {
		t.Fatalf("after %d complete is %v", seq, all)
	}
	i := 0
	for i < len(held) && held[i] <= seq {
		i++
	}
	checkChain(t, first, held[i:])
}

func checkNewest(t *testing.T, l *Log, held []uint64, n int) {
	t.Helper()
	checkChain(t, l.Newest(n), held[max(0, len(held)-n):])
}

func checkChain(t *testing.T, first *Entry, want []uint64) {
	t.Helper()
	for e := first; e != nil; e = e.Next() {
		if len(want) == 0 || e.Seq != want[0] {
			t.Fatalf("found %d, want %v", e.Seq, want)
		}
		want = want[1:]
	}
	if len(want) > 0 {
		t.Fatalf("%v are missing", want)
	}
}

func TestLog_CountsTheBytesItHolds(t *testing.T) {
	var l Log
	for seq, size := range []int{10, 20, 30} {
		l.Append(entry(uint64(seq+1), size))
	}
	l.Drop()
	if l.Bytes() != 50 {
		t.Errorf("%d bytes, want 50", l.Bytes())
	}
	l.Drop()
	l.Drop()
	if l.Bytes() != 0 || l.Len() != 0 || l.Oldest() != nil || l.Tail() != nil || l.Last() != 3 {
		t.Errorf("an emptied log holds %d bytes in %d entries, last %d", l.Bytes(), l.Len(), l.Last())
	}
}

func TestEntry_IsCompressedOnceForAll(t *testing.T) {
	e := entry(1, 3)
	calls := 0
	packed := []byte("packed")
	for range 3 {
		got := e.Deflated(func([]byte) []byte {
			calls++
			return packed
		})
		if !bytes.Equal(got, packed) {
			t.Errorf("got %q", got)
		}
	}
	if calls != 1 {
		t.Errorf("compressed %d times", calls)
	}
	plain := entry(2, 3)
	if got := plain.Deflated(func([]byte) []byte { return nil }); !bytes.Equal(got, plain.Frame) {
		t.Errorf("got %q, want the plain frame", got)
	}
}
