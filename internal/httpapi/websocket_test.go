package httpapi

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/wire"
)

func TestWebSocket_ANewcomerIsLetInWithItsChannels(t *testing.T) {
	for target, want := range map[string]string{
		"/ws":                              "",
		"/ws?channels=a":                   "a",
		"/ws?channels=a,b:c,d@e=f":         "a b:c d@e=f",
		"/ws?channels=a,b,a":               "a b",
		"/ws?channels=broadcast&unknown=1": "broadcast",
		"/ws?since=e-7":                    "broadcast@e-7",
		"/ws?channels=a&since=e-7":         "a@e-7",
		"/ws?channels=a,b&since=b:e-7":     "a b@e-7",
		"/ws?token=good&channels=vip-1,user:ann&since=user:ann:e-7": "vip-1 user:ann@e-7",
	} {
		v := newWorld(t)
		if w := v.do(request("GET", target, "", upgrade()...)); w.Code != 418 || len(v.newcomers) != 1 || v.newcomers[0] != want || len(v.refused) != 0 {
			t.Errorf("%s: %d %s, let in %q, refused %v", target, w.Code, w.Body, v.newcomers, v.refused)
		}
	}
}

// TestWebSocket_WithoutATokenOnlyWhatIsOpen is a server that opens some
// channels, and one that opens none.
func TestWebSocket_WithoutATokenOnlyWhatIsOpen(t *testing.T) {
	for target, codes := range map[string][2]wire.Code{
		"/ws":                           {"", wire.Unauthorized},
		"/ws?channels=open-1":           {"", wire.Unauthorized},
		"/ws?channels=vip-1":            {wire.Forbidden, wire.Unauthorized},
		"/ws?token=good&channels=vip-1": {"", ""},
		"/ws?token=good&channels=other": {wire.Forbidden, wire.Forbidden},
		"/ws?token=bad":                 {wire.Unauthorized, wire.Unauthorized},
		"/ws?token=" + testKey:          {wire.Unauthorized, wire.Unauthorized}, // a key counts in the header alone
	} {
		for i, open := range [][]wire.Pattern{{"open-*"}, nil} {
			v := newWorld(t).withKey(t)
			v.Admission = admission(open...)
			w := v.do(request("GET", target, "", upgrade()...))
			if codes[i] != "" {
				checkRefused(t, w, codes[i])
			} else if w.Code != 418 {
				t.Errorf("%s with %v open: %d %s", target, open, w.Code, w.Body)
			}
		}
	}
	v := newWorld(t).withKey(t)
	v.Admission = admission()
	if w := v.do(request("GET", "/ws?channels=anything", "", upgrade("Authorization: Bearer "+testKey)...)); w.Code != 418 {
		t.Errorf("with an API key: %d %s", w.Code, w.Body)
	}
}

func TestWebSocket_RefusalsAreTheSameForAHandshakeAndForAPlainGet(t *testing.T) {
	for _, c := range []struct {
		target  string
		headers []string
		code    wire.Code
	}{
		{"/ws?channels=", nil, wire.BadChannel},
		{"/ws?channels=a,,b", nil, wire.BadChannel},
		{"/ws?channels=a%20b", nil, wire.BadChannel},
		{"/ws?channels=a&channels=b", nil, wire.BadRequest},
		{"/ws?channels=..", nil, wire.BadChannel},
		{"/ws?channels=a,user:ann", nil, wire.Forbidden},
		{"/ws?since=e", nil, wire.BadRequest},
		{"/ws?channels=a,b&since=e-1", nil, wire.BadRequest},
		{"/ws?channels=a&since=b:e-1", nil, wire.BadRequest},
		{"/ws?channels=a&since=a:e-1,a:e-2", nil, wire.BadRequest},
		{"/ws?token=good", []string{"Authorization: Bearer good"}, wire.BadRequest},
		{"/ws?token=good&channels=user:bob", nil, wire.Forbidden},
		{"/ws?since=", nil, wire.BadRequest},
		{"/ws?%zz", nil, wire.BadRequest},
		{"/ws?token=x", nil, wire.Unauthorized},
		{"/ws?token=", nil, wire.Unauthorized},
		{"/ws", []string{"Authorization: Bearer x"}, wire.Unauthorized},
		{"/ws", []string{"Sec-WebSocket-Protocol: holdfast.v1, bearer.abc"}, wire.Unauthorized},
		{"/ws", []string{"Origin: http://evil.com"}, wire.ForbiddenOrigin},
		{"/ws", []string{"Host: evil.com"}, wire.ForbiddenHost},
		{"/ws?refuse", nil, wire.Draining},
	} {
		for _, headers := range [][]string{c.headers, upgrade(c.headers...)} {
			v := newWorld(t)
			if c.code == wire.Draining {
				v.refusal = wire.Errorf(wire.Draining, "this server is going down; try another")
			}
			w := v.do(request("GET", c.target, "", headers...))
			checkRefused(t, w, c.code)
			if len(v.newcomers) > 0 {
				t.Errorf("%s %q: let in", c.target, headers)
			}
			if w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: Cache-Control %q", c.target, w.Header().Get("Cache-Control"))
			}
			counted := len(headers) > len(c.headers)
			if counted != (len(v.refused) == 1 && v.refused[0] == c.code) {
				t.Errorf("%s %q: counted %v", c.target, headers, v.refused)
			}
			if c.code == wire.Draining && (w.Header().Get("Retry-After") == "" || w.Header().Get("Connection") != "close") {
				t.Errorf("draining: %v", w.Header())
			}
		}
	}
}

func TestWebSocket_APlainGetIs426AndReadableByAllowedPages(t *testing.T) {
	for origin, readable := range map[string]bool{
		"":                        false,
		"http://localhost:5173":   true,
		"https://allowed.example": true,
	} {
		v := newWorld(t)
		v.AllowOrigins = []string{"https://allowed.example"}
		r := request("GET", "/ws", "")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := v.do(r)
		checkRefused(t, w, wire.UpgradeRequired)
		if got := w.Header().Get("Access-Control-Allow-Origin"); (got == origin) != readable && origin != "" || got == "*" {
			t.Errorf("%q: Access-Control-Allow-Origin %q", origin, got)
		}
		if w.Header().Get("Upgrade") != "websocket" || w.Header().Get("Vary") != "Origin" || w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%v", w.Header())
		}
	}
}

func TestWebSocket_BadHandshakes(t *testing.T) {
	for _, c := range []struct {
		drop, add string
		code      wire.Code
	}{
		{"Sec-WebSocket-Key", "", wire.BadRequest},
		{"", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", wire.BadRequest},
		{"Sec-WebSocket-Key", "Sec-WebSocket-Key: short", wire.BadRequest},
		{"Sec-WebSocket-Version", "Sec-WebSocket-Version: 8", wire.UpgradeRequired},
		{"", "Sec-WebSocket-Version: 13", wire.BadRequest},
		{"Connection", "", wire.BadRequest},
		{"Upgrade", "", wire.BadRequest},
	} {
		v := newWorld(t)
		r := request("GET", "/ws", "", upgrade()...)
		r.Header.Del(c.drop)
		if name, value, ok := strings.Cut(c.add, ": "); ok {
			r.Header.Add(name, value)
		}
		w := v.do(r)
		checkRefused(t, w, c.code)
		if c.code == wire.UpgradeRequired && w.Header().Get("Sec-WebSocket-Version") != "13" {
			t.Errorf("%v", w.Header())
		}
		if len(v.newcomers) > 0 {
			t.Errorf("let in without %s, with %s", c.drop, c.add)
		}
	}
}

func TestWebSocket_ARefusedOriginIsLoggedOnce(t *testing.T) {
	v := newWorld(t)
	h := New(v.Deps)
	for range 5 {
		h.ServeHTTP(discard{}, request("GET", "/ws", "", upgrade("Origin: http://evil.com")...))
	}
	h.ServeHTTP(discard{}, request("GET", "/ws", "", upgrade("Origin: http://other.com")...))
	if n := strings.Count(v.log.String(), "\n"); n != 2 {
		t.Errorf("%d lines:\n%s", n, v.log.String())
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// taker takes the connection over, as the transport does.
type taker struct {
	*world
	took chan string
}

func (d taker) Upgrade(w http.ResponseWriter, _ *http.Request, _ Newcomer) *wire.Error {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		d.took <- err.Error()
		return nil
	}
	defer c.Close()
	if _, raw := c.(*net.TCPConn); !raw {
		d.took <- fmt.Sprintf("%T", c)
		return nil
	}
	io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
	line, _ := rw.ReadString('\n')
	d.took <- line
	return nil
}

func TestWebSocket_TheDoorGetsTheConnectionAsAcceptedAndTheBytesBehindTheHandshake(t *testing.T) {
	v := newWorld(t)
	took := make(chan string, 1)
	v.Door = taker{v, took}
	c, err := net.Dial("tcp", v.serve(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: localhost\r\n"+strings.Join(upgrade(), "\r\n")+"\r\n\r\nearly bytes\n")
	if got := <-took; got != "early bytes\n" {
		t.Errorf("got %q", got)
	}
	if line, _ := bufio.NewReader(c).ReadString('\n'); !strings.Contains(line, "101") {
		t.Errorf("answer %q", line)
	}
}
