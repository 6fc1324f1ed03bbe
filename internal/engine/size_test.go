package engine_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

func TestMessageSize_IsThatOfTheFrame(t *testing.T) {
	check := func(channel, event, epoch string, seq uint64, data int) {
		p := wire.Publication{Channel: channel, Event: event, Data: []byte(strings.Repeat("1", data))}
		id := wire.ID{Epoch: epoch, Seq: seq}
		if want, got := len(engine.NewMessage(p, id, time.Now()).Frame), engine.MessageSize(&p, id); got != want {
			t.Fatalf("%s %v %q with %d bytes: %d, want %d", channel, id, event, data, got, want)
		}
	}
	for data := 1; data < 70_000; data += 1 + data/200 {
		check("news", "", "k3v9qd2x41", 41, data)
	}
	for data := 65_300; data < 65_600; data++ {
		check("news", "", "k3v9qd2x41", 41, data)
	}
	for seq := uint64(1); ; seq *= 10 {
		for _, near := range [...]uint64{seq - 1, seq, seq + 1} {
			check("a", "tick", "e", near, 1)
		}
		if seq > math.MaxUint64/10 {
			break
		}
	}
	check("a", "", "e", math.MaxUint64, 1)
}
