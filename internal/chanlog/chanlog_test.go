package chanlog

import (
	"bytes"
	"sync"
	"testing"
)

func entry(seq uint64, size int) *Entry { return &Entry{Seq: seq, Frame: make([]byte, size)} }

func TestLog_ReadersWalkWhileItGrows(t *testing.T) {
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
	}
	wg.Wait()
}

func TestLog_EndsCountTheBytesBetween(t *testing.T) {
	var l Log
	a, b, c := entry(5, 10), entry(9, 20), entry(10, 30)
	for _, e := range []*Entry{a, b, c} {
		l.Append(e)
	}
	if between := c.End - a.End; between != 50 {
		t.Errorf("%d bytes between, want 50", between)
	}
	if l.Last() != 10 || l.Tail() != c {
		t.Errorf("last %d", l.Last())
	}
	l.Forget()
	if l.Append(entry(11, 1)); c.Next() != nil {
		t.Error("a forgotten entry is linked on")
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
