//go:build linux

package test

import (
	"net/http"
	"strings"
	"testing"
)

// refused is a request and the refusal that it must get.
type refused struct {
	name, method, path, body string
	headers                  []string
	status                   int
	code                     string
}

func (s *server) refuses(t *testing.T, cases []refused) {
	t.Helper()
	for _, x := range cases {
		a := s.call(x.method, x.path, x.body, x.headers...)
		if a.status != x.status || !strings.Contains(a.body, `"code":"`+x.code+`"`) || !strings.Contains(a.body, `"help":"docs/errors.md#`+x.code) {
			t.Errorf("%s: got %d %s, want %d %s", x.name, a.status, a.body, x.status, x.code)
		}
	}
}

func with(headers ...string) []string { return append(headers, upgrade...) }

func TestRefusals_BeforeTheUpgrade(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.refuses(t, []refused{
		{"no upgrade", "GET", "/ws", "", nil, 426, "upgrade_required"},
		{"old version", "GET", "/ws", "", []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 8", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}, 426, "upgrade_required"},
		{"no key", "GET", "/ws", "", []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"}, 400, "bad_request"},
		{"bad channel", "GET", "/ws?channels=a%20b", "", upgrade, 400, "bad_channel"},
		{"channels twice", "GET", "/ws?channels=a&channels=b", "", upgrade, 400, "bad_request"},
		{"another's channel", "GET", "/ws?channels=user:ann", "", upgrade, 403, "forbidden"},
		{"foreign page", "GET", "/ws", "", with("Origin: https://evil.example"), 403, "forbidden_origin"},
		{"page of a file", "GET", "/ws", "", with("Origin: null"), 403, "forbidden_origin"},
		{"foreign page asks why", "GET", "/ws", "", []string{"Origin: https://evil.example"}, 403, "forbidden_origin"},
		{"rebinding", "GET", "/ws", "", with("Host: evil.example:8000"), 403, "forbidden_host"},
		{"rebinding by prefix", "GET", "/ws", "", with("Host: localhost.evil.example"), 403, "forbidden_host"},
		{"rebinding of /v1", "POST", "/v1/channels/broadcast/messages", "1", []string{"Host: evil.example"}, 403, "forbidden_host"},
		{"cross-site post", "POST", "/v1/channels/broadcast/messages", "1", []string{"Origin: https://evil.example", "Content-Type: text/plain"}, 403, "forbidden_origin"},
		{"cross-site post by its mark", "POST", "/v1/messages", "[]", []string{"Sec-Fetch-Site: cross-site"}, 403, "forbidden_origin"},
		{"cross-site delete", "DELETE", "/v1/sessions/0000000000000000", "", []string{"Origin: https://evil.example"}, 403, "forbidden_origin"},
	})
	if a := s.call("GET", "/livez", "", "Host: evil.example"); a.status != http.StatusOK {
		t.Errorf("a probe by another name: %d %s", a.status, a.body)
	}
}

func TestRefusals_OfBodies(t *testing.T) {
	t.Parallel()
	s := serve(t)
	const path = "/v1/channels/news/messages"
	s.refuses(t, []refused{
		{"too big", "POST", path, `"` + strings.Repeat("x", 1<<20) + `"`, nil, 413, "too_large"},
		{"no JSON", "POST", path, `{"a":}`, nil, 400, "bad_json"},
		{"bad UTF-8", "POST", path, "\"\xff\"", nil, 400, "bad_json"},
		{"deep", "POST", path, strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000), nil, 400, "bad_json"},
		{"empty", "POST", path, "", nil, 400, "bad_request"},
		{"bad channel", "POST", "/v1/channels/a%20b/messages", "1", nil, 400, "bad_channel"},
		{"two dots", "POST", "/v1/channels/%2e%2e/messages", "1", nil, 400, "bad_channel"},
		{"nothing there", "GET", "/v2", "", nil, 404, "not_found"},
		{"wrong method", "PUT", path, "1", nil, 405, "method_not_allowed"},
	})
	if a := s.call("POST", path, `{"a":}`); !strings.Contains(a.body, "byte 6") {
		t.Errorf("the position is not named: %s", a.body)
	}
	s.publish("news", strings.Repeat("[", 100)+strings.Repeat("]", 100))
}

func TestRefusals_WithoutTheKey(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdefghij"
	s := serve(t, "--api-key", "@"+file(t, "key", key+"\n"), "--api-key", "another-key-of-some-length")
	const path = "/v1/channels/broadcast/messages"
	s.refuses(t, []refused{
		{"none", "POST", path, "1", nil, 401, "unauthorized"},
		{"wrong", "POST", path, "1", []string{"Authorization: Bearer " + key + "x"}, 401, "unauthorized"},
		{"another scheme", "POST", path, "1", []string{"Authorization: Basic " + key}, 401, "unauthorized"},
		{"in the query", "GET", "/v1/status?api-key=" + key, "", nil, 401, "unauthorized"},
		{"before routing", "GET", "/v1/nothing", "", nil, 401, "unauthorized"},
		{"foreign page with a key on a loopback port", "GET", "/ws", "", with("Origin: http://localhost:1"), 403, "forbidden_origin"},
	})
	if a := s.call("POST", path, "1"); a.header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("401 with %v", a.header)
	}
	for _, good := range []string{key, "another-key-of-some-length"} {
		if a := s.call("POST", path, "1", "Authorization: Bearer "+good); a.status != http.StatusOK {
			t.Errorf("with a key: %d %s", a.status, a.body)
		}
	}
	s.connect("")
}

func TestRefusals_PagesThatAreAllowed(t *testing.T) {
	t.Parallel()
	s := serve(t, "--allow-origin", "https://app.example", "--allow-host", "holdfast.internal")
	for _, headers := range [][]string{{"Origin: https://app.example"}, {"Origin: http://localhost:3000"}, {"Host: holdfast.internal"}} {
		if a := s.call("GET", "/ws", "", headers...); a.status != http.StatusUpgradeRequired {
			t.Errorf("%v: %d %s", headers, a.status, a.body)
		}
	}
	if a := s.call("POST", "/v1/channels/broadcast/messages", "1", "Origin: https://app.example"); a.status != http.StatusOK || a.header.Get("Access-Control-Allow-Origin") != "https://app.example" {
		t.Errorf("post by an allowed page: %d %v %s", a.status, a.header, a.body)
	}
}
