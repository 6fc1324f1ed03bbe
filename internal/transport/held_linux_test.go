package transport

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"holdfast.dev/holdfast/internal/session"
)

// TestHeld_CountsAnswersThatAreHalfSent has clients that read nothing ask for
// much: what is kept for each counts, to the last byte, from the first one on
// until it is sent or the client is gone.
func TestHeld_CountsAnswersThatAreHalfSent(t *testing.T) {
	b := newBench(t, 2, nil)
	for range 40 {
		b.tell("news", string(bytes.Repeat([]byte("1"), 10_000)))
	}
	kept := func() (n int) {
		for i := range 2 {
			if c := b.table.at(int32(i)); c.state != free && c.out != nil {
				n += c.out.lag
			}
		}
		return n
	}
	for i, fd := range b.far {
		_ = unix.SetsockoptInt(int(b.table.at(int32(i)).fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 8<<10)
		for range 2 {
			writeAllQ(b, fd, `{"type":"history","channel":"news"}`)
		}
	}
	for step := range 400 {
		if held := int(b.gate.held.Load()); held != kept() || step == 0 && held < 4*300_000 {
			t.Fatalf("after %d steps %d bytes are held, %d counted", step, kept(), held)
		}
		_, _ = unix.Read(b.far[0], b.scratch[:3000])
		b.step()
	}
	b.hangUp(b.far[1])
	drainFD(b, b.far[0])
	if held := b.gate.held.Load(); held != 0 {
		t.Errorf("%d bytes are counted for nobody", held)
	}
}

// TestSend_LeavesLongAnswersAsTheyAre asks for more than a loop can compress
// between two messages.
func TestSend_LeavesLongAnswersAsTheyAre(t *testing.T) {
	b := newBench(t, 1, nil)
	b.table.at(0).session.Deflate = true
	const packed = 0x40
	for n, want := range map[int]byte{10: packed, 50: 0} {
		for range n {
			b.tell(fmt.Sprint("news", n), string(bytes.Repeat([]byte("1"), 2_000)))
		}
		writeAllQ(b, b.far[0], fmt.Sprintf(`{"type":"history","channel":"news%d"}`, n))
		if got := drainFD(b, b.far[0]); len(got) == 0 || got[0]&packed != want {
			t.Errorf("history of %d messages: %d bytes that begin with %x", n, len(got), got[:min(len(got), 1)])
		}
	}
}

// TestSubscribe_StopsWhereTheSessionEnds names more channels than a slow
// client can be answered for.
func TestSubscribe_StopsWhereTheSessionEnds(t *testing.T) {
	b := newBench(t, 1, func(_ *session.Policy, l *Limits) { l.MaxLag = 1000 })
	c := b.table.at(0)
	_ = unix.SetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 4<<10)
	b.tell("news", string(bytes.Repeat([]byte("1"), 50_000)))
	writeAllQ(b, b.far[0], `{"type":"history","channel":"news"}`)
	var list []string
	for i := range 50 {
		list = append(list, fmt.Sprintf(`{"channel":"a%d"}`, i))
	}
	writeAllQ(b, b.far[0], `{"type":"subscribe","channels":[`+strings.Join(list, ",")+`]}`)
	if c.state != closing || len(c.session.Subscriptions) > 0 {
		t.Errorf("state %d with %d subscriptions", c.state, len(c.session.Subscriptions))
	}
}
