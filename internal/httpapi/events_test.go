package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// Events stands for a stream as Upgrade for a WebSocket.
func (v *world) Events(w http.ResponseWriter, r *http.Request, n Newcomer) *wire.Error {
	return v.Upgrade(w, r, n)
}

func TestEvents_ANewcomerIsLetInWithItsChannelsAndItsPlace(t *testing.T) {
	for _, c := range []struct{ target, last, want string }{
		{"/events", "", ""},
		{"/events?channels=a,b", "", "a b"},
		{"/events?since=e-7", "", "broadcast@e-7"},
		{"/events", "e-8", "broadcast@e-8"},
		{"/events?since=e-7", "e-8", "broadcast@e-8"},
		{"/events?channels=a&since=e-7", "broadcast:e-1,a:e-8", "a@e-8 broadcast@e-1"},
		{"/events?channels=a&since=nonsense", "a:e-8", "a@e-8"},
		{"/events?channels=vip-1&token=good", "vip-1:e-1,user:ann:e-2", "vip-1@e-1 user:ann@e-2"},
	} {
		v := newWorld(t)
		r := request("GET", c.target, "")
		if c.last != "" {
			r.Header.Set("Last-Event-ID", c.last)
		}
		w := v.do(r)
		if w.Code != 418 || len(v.newcomers) != 1 || v.newcomers[0] != c.want || len(v.refused) != 0 {
			t.Errorf("%+v: %d %s, let in %q, refused %v", c, w.Code, w.Body, v.newcomers, v.refused)
		}
		h := w.Header()
		if h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store, no-transform" || h.Get("X-Accel-Buffering") != "no" {
			t.Errorf("%+v: %v", c, h)
		}
	}
}

func TestEvents_RefusalsAreThoseOfAWebSocket(t *testing.T) {
	for _, c := range []struct {
		target  string
		headers []string
		code    wire.Code
	}{
		{"/events?channels=", nil, wire.BadChannel},
		{"/events?channels=a&channels=b", nil, wire.BadRequest},
		{"/events?channels=user:ann", nil, wire.Forbidden},
		{"/events?channels=a,b&since=e-1", nil, wire.BadRequest},
		{"/events?channels=a", []string{"Last-Event-ID: b:e-1"}, wire.BadRequest},
		{"/events", []string{"Last-Event-ID: e-1", "Last-Event-ID: e-1"}, wire.BadRequest},
		{"/events", []string{"Last-Event-ID: no id"}, wire.BadRequest},
		{"/events?token=x", nil, wire.Unauthorized},
		{"/events?token=good", []string{"Authorization: Bearer good"}, wire.BadRequest},
		{"/events", []string{"Origin: http://evil.com"}, wire.ForbiddenOrigin},
		{"/events", []string{"Origin: null"}, wire.ForbiddenOrigin},
		{"/events", []string{"Host: evil.com"}, wire.ForbiddenHost},
		{"/events?refuse", nil, wire.Draining},
	} {
		v := newWorld(t)
		if c.code == wire.Draining {
			v.refusal = wire.Errorf(wire.Draining, "this server is going down; try another")
		}
		w := v.do(request("GET", c.target, "", c.headers...))
		checkRefused(t, w, c.code)
		if len(v.newcomers) > 0 || len(v.refused) != 1 || v.refused[0] != c.code {
			t.Errorf("%s %q: let in %q, counted %v", c.target, c.headers, v.newcomers, v.refused)
		}
		if c.code == wire.Draining && w.Header().Get("Retry-After") == "" {
			t.Errorf("draining: %v", w.Header())
		}
		if code := v.do(request("HEAD", c.target, "", c.headers...)).Code; code != c.code.Status() {
			t.Errorf("HEAD %s %q: %d", c.target, c.headers, code)
		}
	}
}

func TestEvents_ABodyIsRefused(t *testing.T) {
	v := newWorld(t)
	checkRefused(t, v.do(request("GET", "/events", "x")), wire.BadRequest)
}

func TestEvents_HeadTellsTheHeadersAndOpensNothing(t *testing.T) {
	v := newWorld(t)
	w := v.do(request("HEAD", "/events?channels=a", ""))
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/event-stream" || len(v.newcomers) > 0 {
		t.Errorf("%d %v, let in %q", w.Code, w.Header(), v.newcomers)
	}
}

func TestEvents_PagesThatMayConnectMayRead(t *testing.T) {
	for origin, keyed := range map[string]bool{"http://localhost:5173": false, "https://allowed.example": true} {
		v := newWorld(t)
		if keyed {
			v.withKey(t)
		}
		v.AllowOrigins = []string{"https://allowed.example"}
		w := v.do(request("GET", "/events", "", "Origin: "+origin))
		if h := w.Header(); w.Code != 418 || h.Get("Access-Control-Allow-Origin") != origin || h.Get("Vary") != "Origin" || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d %v", origin, w.Code, h)
		}
	}
}

func TestEvents_WithAKeyALoopbackServerChecksTheHost(t *testing.T) {
	v := newWorld(t).withKey(t)
	checkRefused(t, v.do(request("GET", "/events", "", "Host: proxy.example")), wire.ForbiddenHost)
	v.AllowHosts = []string{"proxy.example"}
	if w := v.do(request("GET", "/events", "", "Host: proxy.example")); w.Code != 418 {
		t.Errorf("with the host allowed: %d %s", w.Code, w.Body)
	}
}

// TestEvents_ThePlaceHasABound asks for more and more channels: what is let
// in has a place that fits, with every id as long as ids can be.
func TestEvents_ThePlaceHasABound(t *testing.T) {
	v := newWorld(t)
	h := New(v.Deps)
	let := 0
	for n := 1; n < 300; n++ {
		var names, place []string
		for i := range n {
			names = append(names, fmt.Sprintf("channel-number-%03d", i))
			place = append(place, names[i]+":abcdefghij-18446744073709551615")
		}
		place = append(place, "broadcast:abcdefghij-18446744073709551615")
		w := &statusOnly{header: http.Header{}}
		h.ServeHTTP(w, request("GET", "/events?channels="+strings.Join(names, ","), ""))
		size := len(strings.Join(place, ","))
		if fits := size < 6<<10; fits != (w.status == 418) {
			t.Fatalf("%d channels, a place of %d bytes: %d", n, size, w.status)
		}
		if w.status == 418 {
			let = n
		}
	}
	if let < 100 {
		t.Errorf("%d channels at most", let)
	}
	long := strings.Repeat("e", 32) + "-18446744073709551615"
	n := Newcomer{Grant: &session.Grant{User: "ann"}, Wants: []wire.Wanted{{Channel: "a", Since: wire.ID{Epoch: long[:32], Seq: 1<<64 - 1}}, {Channel: "broadcast"}}}
	if got, least := placeSize(n), len("broadcast:,user:ann:,a:")+2*len("abcdefghij-18446744073709551615")+len(long); got < least {
		t.Errorf("%d bytes, and the place may take %d", got, least)
	}
	checkRefused(t, v.do(request("GET", "/events?channels=a"+many(40), "")), wire.BadRequest)
}

// many is a list of so many channels with the longest names.
func many(n int) (list string) {
	for i := range n {
		list += fmt.Sprintf(",%0200d", i)
	}
	return list
}

// statusOnly is an answer of which only the status counts.
type statusOnly struct {
	header http.Header
	status int
}

func (w *statusOnly) Header() http.Header         { return w.header }
func (w *statusOnly) Write(p []byte) (int, error) { return len(p), nil }
func (w *statusOnly) WriteHeader(status int)      { w.status = status }
