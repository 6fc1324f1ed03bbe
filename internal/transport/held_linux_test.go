package transport

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"
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
