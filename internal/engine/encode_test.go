package engine

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unsafe"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

func TestNewMessage_IsTheFrameAtEverySize(t *testing.T) {
	if got := unsafe.Sizeof(chanlog.Entry{}); got != entrySize {
		t.Errorf("an entry has %d bytes, not %d", got, entrySize)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	for _, id := range []wire.ID{{Epoch: "k3v9qd2x", Seq: 1}, {Epoch: strings.Repeat("z", 32), Seq: math.MaxUint64}} {
		for _, event := range []string{"", "tick"} {
			for size := range 66_000 {
				if size > 700 && size < 65_300 {
					continue
				}
				p := wire.Publication{Channel: "news", Event: event, Data: bytes.Repeat([]byte{'1'}, size+1)}
				e := NewMessage(p, id, at)
				want := wire.AppendMessage(nil, p.Channel, id, at, event, p.Data)
				if !bytes.Equal(e.JSON(), want) || !bytes.Equal(e.Frame, append(ws.AppendHeader(nil, ws.Text, false, len(want)), want...)) {
					t.Fatalf("a message of %d bytes is %d bytes on the wire, want %d", size, len(e.Frame), len(want))
				}
				if e.Seq != id.Seq || int64(e.At) != at.Unix() || e.Kind != chanlog.Message {
					t.Fatalf("entry %d at %d of kind %d", e.Seq, e.At, e.Kind)
				}
			}
		}
	}
}

func TestNewMessage_IsOneAllocationForMost(t *testing.T) {
	id, at := wire.ID{Epoch: "k3v9qd2xab", Seq: 123456789}, time.Now()
	for size, want := range map[int]float64{2: 1, 128: 1, 250: 1, 1000: 2} {
		p := wire.Publication{Channel: "news", Data: bytes.Repeat([]byte{'1'}, size)}
		if got := testing.AllocsPerRun(100, func() { NewMessage(p, id, at) }); got != want {
			t.Errorf("a message of %d bytes takes %v allocations, want %v", size, got, want)
		}
	}
}

func TestNewGap_IsAGapFrame(t *testing.T) {
	e := NewGap("news", wire.ID{Epoch: "k3v9qd2x", Seq: 4}, 9, wire.GapExpired, time.Now())
	var f struct{ Type, Channel, After, Reason string }
	if err := json.Unmarshal(e.JSON(), &f); err != nil || f.Type != "gap" || f.After != "k3v9qd2x-4" || f.Reason != "expired" || e.Kind != chanlog.Gap || e.Seq != 9 {
		t.Errorf("%s: %v", e.JSON(), err)
	}
}
