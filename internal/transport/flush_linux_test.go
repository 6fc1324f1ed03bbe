package transport

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"holdfast.dev/holdfast/internal/session"
)

// TestFlush_LeavesOthersTheirTurn has a client come back for much that it
// takes as fast as it is sent: it gets a part of it in each round, and all of
// it in the end.
func TestFlush_LeavesOthersTheirTurn(t *testing.T) {
	for _, events := range []bool{false, true} {
		b := newBench(t, 1, func(_ *session.Policy, l *Limits) { l.MaxLag = 1 << 30 })
		for range 90 {
			b.tell("news", string(bytes.Repeat([]byte("1"), 60_000)))
		}
		fd := b.far[0]
		if events {
			fd = b.listen(t, []string{"news"}, "news:x-1")
		}
		c := b.table.at(int32(len(b.far) - 1))
		_ = unix.SetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 4<<20)
		if !events {
			writeAllQ(b, fd, `{"type":"subscribe","channel":"news","since":"x-1"}`)
		}
		rounds, messages := 0, 0
		for buf := make([]byte, 16<<20); messages < 90 && rounds < 1000; rounds++ {
			before := b.Sent.Load()
			b.step()
			if n := b.Sent.Load() - before; n > maxFlush*scratchSize {
				t.Fatalf("events %v: %d bytes in one round", events, n)
			}
			for {
				n, err := unix.Read(fd, buf)
				if n <= 0 || err != nil {
					break
				}
				messages += strings.Count(string(buf[:n]), `"type":"message"`)
			}
		}
		if messages != 90 || rounds < 10 {
			t.Errorf("events %v: %d messages of 90 in %d rounds", events, messages, rounds)
		}
		if c.writing || c.out != nil && c.out.lag != 0 {
			t.Errorf("events %v: something is still due", events)
		}
	}
}
