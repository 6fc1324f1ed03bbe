package httpapi

import (
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/wire"
)

// upgrade is a handshake as a client sends it.
func upgrade(headers ...string) []string {
	return append([]string{
		"Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
	}, headers...)
}

func TestHost_IsCheckedOnEveryRouteOfAnOpenServerButTheProbes(t *testing.T) {
	for _, host := range []string{
		"evil.com", "127.0.0.1.evil.com", "localhost.evil:8000", "localhost.", "x@localhost", "localhost@evil.com", "[::2]:8000", "",
	} {
		for _, target := range []string{"/", "/ws", "/metrics", "/v1/status", "/v1/nothing", "/nothing", "//livez", "/livez/"} {
			w := newWorld(t).do(request("GET", target, "", "Host: "+host))
			if msg := checkRefused(t, w, wire.ForbiddenHost); !strings.Contains(msg, "--allow-host") {
				t.Errorf("%s at %s: the refusal does not name the flag: %s", host, target, msg)
			}
		}
		for _, target := range []string{"/livez", "/readyz"} {
			if w := newWorld(t).do(request("GET", target, "", "Host: "+host)); w.Code != 200 {
				t.Errorf("%s at %s: %d", host, target, w.Code)
			}
		}
	}
}

func TestHost_NamesOfThisMachineAndAllowedOnesPass(t *testing.T) {
	for _, host := range []string{
		"localhost", "LOCALHOST:8000", "app.localhost", "127.0.0.1:8000", "127.9.9.9", "[::1]:8000",
		"box.lan:8000", "BOX.lan", "pages.example", "[fd00::1]:8000",
	} {
		v := newWorld(t)
		v.AllowHosts = []string{"box.lan", "fd00::1"}
		v.AllowOrigins = []string{"https://pages.example:8443"}
		if w := v.do(request("GET", "/v1/status", "", "Host: "+host)); w.Code != 200 {
			t.Errorf("%s: %d %s", host, w.Code, w.Body)
		}
	}
	v := newWorld(t)
	v.Listen = "devbox:8000"
	if w := v.do(request("GET", "/v1/status", "", "Host: devbox:8000")); w.Code != 200 {
		t.Errorf("the name in --listen: %d %s", w.Code, w.Body)
	}
}

func TestHost_WithAKeyOnlyTheDoorOfALoopbackServerChecksIt(t *testing.T) {
	v := newWorld(t).withKey(t)
	if w := v.do(request("GET", "/v1/status", "", "Host: proxy.example", "Authorization: Bearer "+testKey)); w.Code != 200 {
		t.Errorf("/v1: %d %s", w.Code, w.Body)
	}
	if w := v.do(request("GET", "/metrics", "", "Host: proxy.example")); w.Code != 200 {
		t.Errorf("/metrics: %d %s", w.Code, w.Body)
	}
	checkRefused(t, v.do(request("GET", "/ws", "", upgrade("Host: proxy.example")...)), wire.ForbiddenHost)
	v.AllowHosts = []string{"proxy.example"}
	if w := v.do(request("GET", "/ws", "", upgrade("Host: proxy.example")...)); w.Code != 418 {
		t.Errorf("/ws with the host allowed: %d %s", w.Code, w.Body)
	}
	public := newWorld(t).withKey(t)
	public.Listen = "0.0.0.0:8000"
	if w := public.do(request("GET", "/ws", "", upgrade("Host: service.example")...)); w.Code != 418 {
		t.Errorf("/ws of a public server, no page: %d %s", w.Code, w.Body)
	}
}

func TestHost_IsNotCheckedWithInsecure(t *testing.T) {
	v := newWorld(t)
	v.Insecure, v.Listen = true, ":8000"
	for _, target := range []string{"/v1/status", "/metrics"} {
		if w := v.do(request("GET", target, "", "Host: anything.example")); w.Code != 200 {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

func TestOrigin_WhoMayConnect(t *testing.T) {
	const open, keyed, insecure, public = "open", "keyed", "insecure", "public"
	for _, c := range []struct {
		server, host string
		origins      []string
		want         bool
	}{
		{open, "localhost:8000", nil, true},
		{open, "localhost:8000", []string{"http://localhost:8000"}, true},
		{open, "localhost:8000", []string{"http://localhost:5173"}, true},
		{open, "localhost:8000", []string{"https://127.0.0.9:1"}, true},
		{open, "localhost:8000", []string{"http://[::1]:3000"}, true},
		{open, "localhost:8000", []string{"http://app.localhost"}, true},
		{open, "localhost:8000", []string{"https://allowed.example"}, true},
		{open, "localhost:8000", []string{"https://allowed.example:443"}, true},
		{open, "localhost:8000", []string{"https://ALLOWED.example"}, true},
		{open, "localhost:8000", []string{"http://allowed.example"}, false},
		{open, "localhost:8000", []string{"https://allowed.example:8443"}, false},
		{open, "localhost:8000", []string{"https://x.allowed.example"}, false},
		{open, "localhost:8000", []string{"https://allowed.example.evil.com"}, false},
		{open, "localhost:8000", []string{"http://evil.com"}, false},
		{open, "localhost:8000", []string{"http://127.0.0.1.evil.com:8000"}, false},
		{open, "localhost:8000", []string{"http://localhost.evil:8000"}, false},
		{open, "localhost:8000", []string{"http://x@localhost:8000"}, false},
		{open, "localhost:8000", []string{"http://localhost:8000@evil.com"}, false},
		{open, "localhost:8000", []string{"http://localhost.:8000"}, false},
		{open, "localhost:8000", []string{"null"}, false},
		{open, "localhost:8000", []string{""}, false},
		{open, "localhost:8000", []string{"file://"}, false},
		{open, "localhost:8000", []string{"http://localhost:8000", "http://localhost:8000"}, false},
		{open, "localhost:8000", []string{"http://localhost:8000, http://evil.com"}, false},
		{open, "localhost:8000", []string{"chrome-extension://localhost"}, false},

		{keyed, "localhost:8000", []string{"http://localhost:8000"}, true},
		{keyed, "localhost:8000", []string{"http://localhost:5173"}, false},
		{keyed, "localhost:8000", []string{"https://allowed.example"}, true},
		{keyed, "localhost:8000", nil, true},

		{public, "box.lan:8000", []string{"http://box.lan:8000"}, true},
		{public, "box.lan", []string{"https://box.lan"}, true},
		{public, "box.lan", []string{"https://box.lan:8443"}, false},
		{public, "192.168.1.5:8000", []string{"http://192.168.1.5:8000"}, true},
		{public, "rebound.evil.com:8000", []string{"http://rebound.evil.com:8000"}, false},
		{public, "allowed.example", []string{"https://allowed.example"}, true},

		{insecure, "any.example:8000", []string{"http://any.example:8000"}, true},
		{insecure, "any.example:8000", []string{"http://localhost:5173"}, true},
		{insecure, "any.example:8000", []string{"http://other.example:8000"}, false},
	} {
		v := newWorld(t)
		v.AllowOrigins = []string{"https://allowed.example", "not an origin"}
		v.AllowHosts = []string{"box.lan"}
		switch c.server {
		case keyed:
			v.withKey(t)
		case public:
			v.withKey(t).Listen = "0.0.0.0:8000"
		case insecure:
			v.Insecure, v.Listen = true, ":8000"
		}
		r := request("GET", "/ws", "", upgrade("Host: "+c.host)...)
		r.Header["Origin"] = c.origins
		w := v.do(r)
		if c.want {
			if w.Code != 418 {
				t.Errorf("%s server, host %s, origin %q: %d %s", c.server, c.host, c.origins, w.Code, w.Body)
			}
			continue
		}
		checkRefused(t, w, wire.ForbiddenOrigin)
		if w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("a page of %q, which was refused, may read the answer", c.origins)
		}
		if len(v.refused) != 1 || v.refused[0] != wire.ForbiddenOrigin {
			t.Errorf("counted: %v", v.refused)
		}
	}
}

func TestOrigin_TheRefusalNamesWhatWasSeenWhatIsAllowedAndTheFlag(t *testing.T) {
	v := newWorld(t)
	v.AllowOrigins = []string{"https://allowed.example"}
	msg := checkRefused(t, v.do(request("GET", "/ws", "", upgrade("Origin: https://evil.com")...)), wire.ForbiddenOrigin)
	for _, part := range []string{`"https://evil.com"`, "https://allowed.example", "--allow-origin https://evil.com"} {
		if !strings.Contains(msg, part) {
			t.Errorf("%q does not hold %s", msg, part)
		}
	}
	if !strings.Contains(v.log.String(), "https://evil.com") {
		t.Errorf("the log does not name it: %s", v.log.String())
	}
}

func TestOrigin_WhatAClientMadeUpIsQuoted(t *testing.T) {
	v := newWorld(t)
	r := request("GET", "/ws", "", upgrade()...)
	r.Header["Origin"] = []string{"http://\x1b[31m\u202eevil\r\nX: y"}
	msg := checkRefused(t, v.do(r), wire.ForbiddenOrigin)
	if strings.ContainsAny(msg+strings.TrimSuffix(v.log.String(), "\n"), "\x1b\u202e\r\n") {
		t.Errorf("raw text of the client in %q or %q", msg, v.log.String())
	}
}
