package transport

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"holdfast.dev/holdfast/internal/ws"
)

// TestReplay_IsGivenUpForWhoTakesNothingOfIt has two clients come back for
// much, both of which show that they live: one reads a little now and then,
// and is served on; for the other the log is not kept without end.
func TestReplay_IsGivenUpForWhoTakesNothingOfIt(t *testing.T) {
	b := newBench(t, 2, nil) // a heartbeat is a minute
	for range 60 {
		b.tell("news", string(bytes.Repeat([]byte("1"), 50_000)))
	}
	for i, fd := range b.far {
		_ = unix.SetsockoptInt(int(b.table.at(int32(i)).fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 8<<10)
		writeAllQ(b, fd, fmt.Sprintf(`{"type":"subscribe","channel":"news","since":"%s-1"}`, "x"))
	}
	reads, stands := b.table.at(0), b.table.at(1)
	for minute := range 10 {
		b.say(t, 0, masked(ws.Pong, ""))
		if stands.state == open {
			b.say(t, 1, masked(ws.Pong, ""))
		}
		_, _ = unix.Read(b.far[0], b.scratch[:20_000])
		b.step()
		b.pass(time.Minute)
		if stands.state != open && minute < 2 {
			t.Fatalf("given up after %d minutes", minute+1)
		}
		if minute == 5 && stands.state == open {
			t.Error("what a client takes nothing of is still kept for it after 6 minutes")
		}
	}
	if reads.state != open {
		t.Errorf("who reads is in state %d", reads.state)
	}
}
