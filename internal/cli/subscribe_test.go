package cli

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func onTerminal(server func(*Stdio)) func(*Stdio) {
	return func(io *Stdio) {
		server(io)
		io.OutTerminal, io.ErrTerminal = true, true
		io.Environ = append(io.Environ, "NO_COLOR=1")
	}
}

func TestSubscribe_OnATerminalALineIsForPeople(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = local })
	f := newFake()
	f.connect = func(ctx context.Context, conn *websocket.Conn, _ []string) {
		send(ctx, conn, welcome,
			`{"type":"message","channel":"broadcast","id":"e-1","time":"2027-01-02T14:02:11.000Z","event":"tick","data":{"price":12}}`,
			`{"type":"gap","channel":"broadcast","after":"e-1","reason":"too_slow"}`,
			`{"type":"error","code":"bad_channel","message":"no"}`,
			`{"type":"draining","reason":"restart","forced_in_ms":1}`,
			`{"type":"draining","reason":"called_off","cancelled":true}`,
			`{"type":"something_new"}`,
			message("broadcast", 2, `"\u202e and `+"\u202e\u0085"+`"`))
		conn.Read(ctx)
	}
	got := runIn(t, onTerminal(serverOf(t, f)), "subscribe", "--count", "2")
	golden(t, "testdata/subscribe.txt", got.out+"--- standard error\n"+got.err)
	if got.code != 0 {
		t.Errorf("exit code %d", got.code)
	}
	got = runIn(t, serverOf(t, newFake()), "subscribe", "--count", "1", "--color", "always")
	if strings.Contains(got.out, "\x1b") {
		t.Errorf("coloured JSON: %q", got.out)
	}
	coloured := func(io *Stdio) { serverOf(t, newFake())(io); io.OutTerminal = true }
	if got = runIn(t, coloured, "subscribe", "--count", "1"); !strings.Contains(got.out, cyan+"broadcast"+reset) || !strings.Contains(got.out, dim+"e-1"+reset) {
		t.Errorf("coloured: %q", got.out)
	}
}

func TestSubscribe_ConnectsAgainAndSaysSoOnce(t *testing.T) {
	var connections atomic.Int32
	f := newFake()
	f.connect = func(ctx context.Context, conn *websocket.Conn, channels []string) {
		if !slices.Equal(channels, []string{"broadcast", "news"}) {
			t.Errorf("subscribed to %q", channels)
		}
		n := int(connections.Add(1))
		if n == 2 { // a server that is gone again before it says welcome
			conn.Close(websocket.StatusServiceRestart, "restart retry=1")
			return
		}
		send(ctx, conn, welcome, message("news", n, `"x"`))
		if n == 1 {
			conn.Close(websocket.StatusServiceRestart, "restart retry=1")
			return
		}
		conn.Read(ctx)
	}
	got := runIn(t, serverOf(t, f), "subscribe", "news", "broadcast", "--count", "2")
	if got.code != 0 || strings.Count(got.out, `"type":"message"`) != 2 || connections.Load() != 3 {
		t.Errorf("%d connections: %+v", connections.Load(), got)
	}
	if strings.Count(got.err, "lost ") != 1 || strings.Count(got.err, "connected again") != 1 || !strings.Contains(got.err, "1012 restart") {
		t.Errorf("said %q", got.err)
	}
}

func TestSubscribe_StaysAwayWhenSentAway(t *testing.T) {
	for code, want := range map[websocket.StatusCode]int{1000: 4, 1008: 4, 4001: 4, 4009: 4, 1002: 1, 1003: 1, 1007: 1, 1009: 1} {
		f := newFake()
		f.connect = func(ctx context.Context, conn *websocket.Conn, _ []string) {
			send(ctx, conn, welcome)
			conn.Close(code, "go away\x1b[2J")
		}
		got := runIn(t, serverOf(t, f), "subscribe")
		if got.code != want || !strings.Contains(got.err, `go away\u001b[2J`) {
			t.Errorf("%d: %+v", code, got)
		}
	}
}

func TestSubscribe_GoesWhenTheServerFallsSilent(t *testing.T) {
	var connections atomic.Int32
	f := newFake()
	f.connect = func(ctx context.Context, conn *websocket.Conn, _ []string) {
		if connections.Add(1) == 2 {
			send(ctx, conn, welcome, message("broadcast", 1, "1"))
		} else {
			send(ctx, conn, `{"type":"welcome","heartbeat_s":0.01}`)
		}
		conn.Read(ctx)
	}
	got := runIn(t, serverOf(t, f), "subscribe", "--count", "1")
	if got.code != 0 || !strings.Contains(got.err, "fallen silent") {
		t.Errorf("%+v", got)
	}
}

func TestStream_KnowsWhichRefusalsPass(t *testing.T) {
	s := &stream{}
	for status, final := range map[int]bool{503: false, 429: false, 500: false, 502: false, 401: true, 403: true, 400: true, 404: true, 426: true} {
		end := s.notConnected(&exitError{4, &refusal{status: status, retryAfter: 7 * time.Second}})
		if end.final != final || end.advice != 7*time.Second {
			t.Errorf("%d: %+v", status, end)
		}
	}
	if s.notConnected(errors.New("refused by the network")).final {
		t.Error("an unreachable server is given up")
	}
}

func TestStream_ReadsTheServersAdvice(t *testing.T) {
	for reason, want := range map[string]time.Duration{
		"restart retry=8000": 8 * time.Second, "retry=1": time.Millisecond, "restart": 0, "": 0,
		"retry=": 0, "retry=-5": 0, "retry=x": 0, "retry=99999999999999": 0, "retry=2000000000": longestAdvice,
	} {
		if got := closeAdvice(reason); got != want {
			t.Errorf("%q: %s, want %s", reason, got, want)
		}
	}
	for value, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "-1": 0, "x": 0, "99999999": longestAdvice, "Wed, 21 Oct 2015 07:28:00 GMT": 0} {
		if got := retryAfter(http.Header{"Retry-After": {value}}); got != want {
			t.Errorf("Retry-After %q: %s, want %s", value, got, want)
		}
	}
}

func TestWait_IsSpreadAndBounded(t *testing.T) {
	for n := range 40 {
		var low, high = time.Hour, time.Duration(0)
		for range 500 {
			d := wait(n, 0)
			low, high = min(low, d), max(high, d)
		}
		bound := min(longestWait, shortestWait<<min(n+1, 10))
		if low < shortestWait || high > bound || high-low < (bound-shortestWait)/2 {
			t.Errorf("attempt %d waits %s to %s, bound %s", n, low, high, bound)
		}
	}
	for range 500 {
		if d := wait(3, 8*time.Second); d < 8*time.Second || d > 12*time.Second {
			t.Fatalf("advice of 8s became %s", d)
		}
	}
	if d := wait(0, time.Hour); d > longestAdvice*3/2 {
		t.Errorf("advice of 1h became %s", d)
	}
}
