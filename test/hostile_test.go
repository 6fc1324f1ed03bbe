//go:build linux

package test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/ws"
)

const mib = 1 << 20

func TestHostile_WhoNeverReadsIsClosedAndOthersAreServed(t *testing.T) {
	t.Run("plain", func(t *testing.T) {
		s := serveMeasured(t, "--max-lag", "1MiB", "--config", file(t, "quiet.yaml", "schedules: []\n"))
		outlast(t, s, &http.Transport{DialContext: dialSmall})
	})
	t.Run("TLS", func(t *testing.T) {
		s := newAuthority(t).issue(t).serve(t, "--max-lag", "1MiB", "--config", file(t, "quiet.yaml", "schedules: []\n"))
		small := s.web.Transport.(*http.Transport).Clone()
		small.DialContext = dialSmall
		outlast(t, s, small)
	})
}

// dialSmall connects with a receive buffer that is soon full.
func dialSmall(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return conn, conn.(*net.TCPConn).SetReadBuffer(4 << 10)
}

// outlast has clients that never read, on connections of their own, closed
// while another is served.
func outlast(t *testing.T, s *server, theirs http.RoundTripper) {
	t.Helper()
	const stalled, messages = 50, 150
	before := s.memory()
	ours := s.web.Transport
	s.web.Transport = theirs
	for range stalled {
		s.connect("?channels=news")
	}
	s.web.Transport = ours
	c := s.connect("?channels=news")
	c.read()
	const closed = `holdfast_sessions_closed_total{code="4008"}`
	text := strings.Repeat("x", 64<<10)
	highest := 0
	for n := range messages {
		data := fmt.Sprintf(`"%d %s"`, n, text)
		s.publish("news", data)
		c.expect("news", data)
		highest = max(highest, s.memory())
	}
	eventually(t, "all that never read are closed", func() bool { return s.metric(closed) == stalled })
	if grown := highest - before; grown > 100*mib {
		t.Errorf("%d MiB of memory for %d that never read", grown/mib, stalled)
	}
	eventually(t, "one session is left", func() bool {
		return strings.Contains(s.call("GET", "/v1/status", "").body, `"sessions":1,`)
	})
}

func TestHostile_FramesThatWantMemory(t *testing.T) {
	s := serveMeasured(t)
	bomb := ws.Deflate(nil, make([]byte, 64*mib))
	const deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
	compressed := func(p []byte) []byte { // a masked frame with the bit that says so
		f := masked(ws.Text, p)
		f[0] |= 0x40
		return f
	}
	for _, x := range []struct {
		name, headers string
		send          []byte
		code          int
	}{
		{"2^63-1 bytes", "", []byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, 1009},
		{"top bit", "", []byte{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, 1002},
		{"4 GiB", "", []byte{0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 1009},
		{"a bomb", deflate, compressed(bomb), 1009},
		{"compressed without agreement", "", compressed([]byte{0}), 1002},
		{"endless fragments", "", endless(), 1009},
	} {
		before := s.memory()
		for range 50 {
			r := s.upgraded(x.headers)
			_, _ = r.Write(x.send)
			if _, code := r.frames(); code != x.code {
				t.Errorf("%s: closed with %d, want %d", x.name, code, x.code)
				break
			}
			_ = r.Close()
		}
		if grown := s.memory() - before; grown > 32*mib {
			t.Errorf("%s: %d MiB of memory", x.name, grown/mib)
		}
	}
}

// endless is a message in fragments of a byte that would never end. The
// server may stop reading before it has them all.
func endless() []byte {
	first := masked(ws.Binary, []byte("x"))
	first[0] &^= 0x80
	rest := masked(ws.Continuation, []byte("x"))
	rest[0] &^= 0x80
	return append(first, repeat(string(rest), 70_000)...)
}

func TestHostile_DeepJSONIsAnswered(t *testing.T) {
	t.Parallel()
	s := serve(t, "--client-publish", "news")
	c := s.connect("")
	for _, text := range []string{
		strings.Repeat("[", 60_000),
		strings.Repeat(`{"a":`, 12_000),
		`{"type":"publish","channel":"news","data":` + strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000) + "}",
	} {
		if f := c.ask(text); f.Type != "error" || f.Code != "bad_json" {
			t.Errorf("%.30s…: %s", text, f.raw)
		}
	}
	if f := c.ask(`{"type":"ping"}`); f.Type != "pong" {
		t.Errorf("the session is no longer served: %s", f.raw)
	}
}
