package ws

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func discard(Message) error { return nil }

func TestReader_EmitsAWholeFrameWithoutAllocation(t *testing.T) {
	frame := client(0x81, `{"type":"subscribe","channel":"orders"}`)
	fresh := bytes.Clone(frame)
	var r Reader
	if n := testing.AllocsPerRun(100, func() {
		copy(frame, fresh)
		if err := r.Feed(frame, limits, discard); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a whole text frame, want none", n)
	}
}

func TestReader_TakesNoMemoryForADeclaredLength(t *testing.T) {
	lim := Limits{MaxMessage: 1 << 30}
	head := binary.BigEndian.AppendUint64([]byte{0x82, 0xff}, 1<<30)
	var r Reader
	record(&r, lim, append(masked(head...), "first bytes"...))
	if held := r.Held(); held > unfinishedSize+64 || held == 0 {
		t.Errorf("%d bytes held for 11 that arrived", held)
	}
	if !r.Unfinished() {
		t.Error("a frame has begun, and Unfinished says no")
	}
}

func TestReader_HoldsAtMostTwiceWhatArrived(t *testing.T) {
	lim := Limits{MaxMessage: 1 << 16}
	for _, size := range []int{0, 1, 3, 100, 4000} {
		for _, first := range []byte{0x01, 0x02} {
			var r Reader
			record(&r, lim, client(first, ""))
			for arrived := size; arrived <= lim.MaxMessage; arrived += max(size, 1<<10) {
				record(&r, lim, client(0x00, strings.Repeat("x", size)))
				if most := unfinishedSize + max(2*arrived, size); r.Held() > most {
					t.Fatalf("fragments of %d: %d bytes held for %d that arrived", size, r.Held(), arrived)
				}
			}
			if most := unfinishedSize + lim.MaxMessage; r.Held() > most {
				t.Errorf("fragments of %d: %d bytes held, the limit is %d", size, r.Held(), lim.MaxMessage)
			}
		}
	}
}

func TestReader_HoldsNoObjectPerFragment(t *testing.T) {
	fragment := client(0x00, "x")
	fresh := bytes.Clone(fragment)
	var r Reader
	record(&r, limits, client(0x01, strings.Repeat("x", 1025)))
	if n := testing.AllocsPerRun(1000, func() {
		copy(fragment, fresh)
		if err := r.Feed(fragment, limits, discard); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a fragment, want none while there is room", n)
	}
}

func TestReader_HoldsNothingBetweenMessages(t *testing.T) {
	in := join(client(0x01, "a"), client(0x89, "p"), client(0x80, "b"))
	var r Reader
	for i, piece := range bytewise(in) {
		record(&r, limits, piece)
		if last := i == len(in)-1; r.Unfinished() == last || r.Held() == 0 != last {
			t.Fatalf("after byte %d of %d: Unfinished %v, Held %d", i+1, len(in), r.Unfinished(), r.Held())
		}
	}
}
