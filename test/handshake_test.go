//go:build linux

package test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/ws"
)

func TestHandshake_AByteASecondIsCutOff(t *testing.T) {
	t.Parallel()
	s := serve(t)
	r := s.dial()
	begun := time.Now()
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, r.in)
		ended <- err
	}()
	each := time.NewTicker(time.Second)
	defer each.Stop()
	for i := 0; ; i++ {
		if i < len(handshake) {
			_, _ = r.Write([]byte{handshake[i]})
		}
		select {
		case <-each.C:
			continue
		case err := <-ended:
			if took := time.Since(begun); errors.Is(err, syscall.ETIMEDOUT) || took < 4*time.Second || took > 15*time.Second {
				t.Errorf("cut off after %v: %v", took, err)
			}
		}
		return
	}
}

func TestHandshake_TenThousandHalfOpen(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	n := min(10_000, int(limit.Cur)-500)
	s := serveMeasured(t)
	c := s.connect("")
	s.publish("broadcast", `"before"`)
	c.expect("broadcast", `"before"`)
	idle := s.descriptors()

	half := make([]*raw, n)
	for i := range half {
		half[i] = s.dialFrom(fmt.Sprintf("127.0.1.%d", 1+i%200))
		half[i].write([]byte(handshake[:1+i%len(handshake)]))
	}
	s.publish("broadcast", `"among them"`)
	c.expect("broadcast", `"among them"`)
	s.connect("")
	if m := s.memory(); m > n*40<<10 {
		t.Errorf("%d MiB for %d half-open handshakes", m>>20, n)
	}
	for _, r := range half {
		if _, err := io.Copy(io.Discard, r.in); errors.Is(err, syscall.ETIMEDOUT) {
			t.Fatal("a half-open handshake was never cut off")
		}
		r.abort()
	}
	eventually(t, "all descriptors are free again", func() bool { return s.descriptors() <= idle+5 })
	s.publish("broadcast", `"after"`)
	c.expect("broadcast", `"after"`)
}

func TestHandshake_ResetAtAnyByte(t *testing.T) {
	t.Parallel()
	s := serve(t)
	c := s.connect("")
	s.publish("broadcast", `"before"`)
	c.expect("broadcast", `"before"`)
	idle := s.descriptors()
	all := slices.Concat([]byte(handshake+"\r\n"), masked(ws.Text, []byte(`{"type":"ping"}`)))
	for i := range len(all) + 1 {
		r := s.dial()
		r.write(all[:i])
		r.abort()
		if r = s.dial(); i > len(handshake)+2 {
			r.write(all[:len(handshake)+2])
			r.switched() // and only then the reset
			r.write(all[len(handshake)+2 : i])
			r.abort()
		}
		_ = r.Close()
	}
	eventually(t, "only one session is left", func() bool {
		return strings.Contains(s.call("GET", "/v1/status", "").body, `"sessions":1,`)
	})
	eventually(t, "all descriptors are free again", func() bool { return s.descriptors() <= idle+5 })
	s.publish("broadcast", `"after"`)
	c.expect("broadcast", `"after"`)
}

// corked sends p and the end of the connection in one segment.
func (r *raw) corked(p []byte) {
	r.t.Helper()
	conn, err := r.SyscallConn()
	if err != nil {
		r.t.Fatal(err)
	}
	_ = conn.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK, 1) })
	if err != nil {
		r.t.Fatal(err)
	}
	r.write(p)
	if err := r.CloseWrite(); err != nil {
		r.t.Fatal(err)
	}
}

func TestHandshake_EndTogetherWithData(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ping := masked(ws.Text, []byte(`{"type":"ping","request":"last"}`))
	goodbye := masked(ws.Close, closeCode(1000))

	r := s.upgraded("")
	r.corked(slices.Concat(ping, goodbye))
	if texts, code := r.frames(); code != 1000 || len(texts) != 2 || texts[1] != `{"type":"pong","request":"last"}` {
		t.Errorf("close frame with the end: %q, %d", texts, code)
	}

	r = s.dial()
	r.corked(slices.Concat([]byte(handshake+"\r\n"), ping, goodbye))
	r.switched()
	if texts, code := r.frames(); code != 1000 || len(texts) != 2 {
		t.Errorf("everything in one segment: %q, %d", texts, code)
	}

	r = s.upgraded("")
	r.corked(ping) // the end without a close frame
	if texts, code := r.frames(); code != -1 || len(texts) != 2 {
		t.Errorf("no close frame: %q, %d", texts, code)
	}
	eventually(t, "nobody is left", func() bool {
		return strings.Contains(s.call("GET", "/v1/status", "").body, `"sessions":0,`)
	})
}
