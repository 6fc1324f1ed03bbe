package httpapi

import (
	"net/http/httptest"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/wire"
)

func TestPublish_TheBodyIsJSONWhateverItsTypeSays(t *testing.T) {
	for _, c := range []struct{ contentType, body, data string }{
		{"application/x-www-form-urlencoded", `{"text":"hi"}`, `{"text":"hi"}`},
		{"application/json", ` { "a" : [ 1, 2 ] } `, `{"a":[1,2]}`},
		{"", `"x"`, `"x"`},
		{"application/json; charset=utf-8", `12`, `12`},
		{"text/plain", `{"text":"hi"}`, `"{\"text\":\"hi\"}"`},
		{"text/plain; charset=UTF-8", "hello\nwörld\t", `"hello\nwörld\u0009"`},
		{"TEXT/PLAIN", " ", `" "`},
		{"text/plainer", `null`, `null`},
	} {
		v := newWorld(t)
		r := request("POST", "/v1/channels/news/messages?event=a.b&other=1", c.body, "Idempotency-Key: k 1")
		if c.contentType != "" {
			r.Header.Set("Content-Type", c.contentType)
		}
		w := v.do(r)
		const want = `{"channel":"news","id":"e-1","time":"2026-05-04T03:02:01.045Z","subscribers":7}` + "\n"
		if w.Code != 200 || w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %d %s", c.contentType, c.body, w.Code, w.Body)
			continue
		}
		if p := v.published[0]; p.Channel != "news" || p.Event != "a.b" || p.Key != "k 1" || string(p.Data) != c.data {
			t.Errorf("%s %s: published %+v %s", c.contentType, c.body, p, p.Data)
		}
	}
}

func TestPublish_BadInput(t *testing.T) {
	deep := strings.Repeat("[", 101) + strings.Repeat("]", 101)
	for _, c := range []struct {
		name, target, body string
		headers            []string
		code               wire.Code
		says               string
	}{
		{"no JSON", "a", `{"a":}`, nil, wire.BadJSON, "byte 6"},
		{"broken off", "a", `{"a"`, nil, wire.BadJSON, "after byte 4"},
		{"two values", "a", `1 2`, nil, wire.BadJSON, "byte 3"},
		{"not UTF-8", "a", "\"ab\xff\"", nil, wire.BadJSON, "byte 4"},
		{"text not UTF-8", "a", "ab\xff", []string{"Content-Type: text/plain"}, wire.BadRequest, "byte 3"},
		{"too deep", "a", deep, nil, wire.BadJSON, "nested"},
		{"empty", "a", "", nil, wire.BadRequest, "empty"},
		{"white space", "a", " \n", nil, wire.BadRequest, "empty"},
		{"empty text", "a", "", []string{"Content-Type: text/plain"}, wire.BadRequest, "empty"},
		{"too large", "a", `"` + strings.Repeat("x", 99) + `"`, nil, wire.TooLarge, "100"},
		{"bad channel", "a%20b", `1`, nil, wire.BadChannel, "channel name"},
		{"slash in the channel", "a%2Fb", `1`, nil, wire.BadChannel, "channel name"},
		{"dots", "%2e%2e", `1`, nil, wire.BadChannel, ""},
		{"long channel", strings.Repeat("a", 201), `1`, nil, wire.BadChannel, "201"},
		{"star", "a*", `1`, nil, wire.BadChannel, ""},
		{"newline", "a%0a", `1`, nil, wire.BadChannel, ""},
		{"bad event", "a/messages?event=a%20b", `1`, nil, wire.BadRequest, "event"},
		{"two events", "a/messages?event=a&event=b", `1`, nil, wire.BadRequest, "event="},
		{"bad query", "a/messages?event=%zz", `1`, nil, wire.BadRequest, "query"},
		{"two keys", "a", `1`, []string{"Idempotency-Key: a", "Idempotency-Key: a"}, wire.BadRequest, "Idempotency-Key"},
		{"long key", "a", `1`, []string{"Idempotency-Key: " + strings.Repeat("k", 257)}, wire.BadRequest, "257"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newWorld(t)
			v.MaxMessage = 100
			if len(deep) > 100 && c.body == deep {
				v.MaxMessage = 1000
			}
			target := "/v1/channels/" + c.target
			if !strings.Contains(target, "/messages") {
				target += "/messages"
			}
			if msg := checkRefused(t, v.do(request("POST", target, c.body, c.headers...)), c.code); !strings.Contains(msg, c.says) {
				t.Errorf("%q does not say %q", msg, c.says)
			}
			if len(v.published) > 0 {
				t.Errorf("published %v", v.published)
			}
		})
	}
}

func TestPublish_ABodyAsLargeAsTheLimitPasses(t *testing.T) {
	v := newWorld(t)
	if w := v.do(request("POST", "/v1/channels/a/messages", `"`+strings.Repeat("x", 1<<20-2)+`"`)); w.Code != 200 || len(v.published[0].Data) != 1<<20 {
		t.Errorf("%d", w.Code)
	}
	r := httptest.NewRequest("POST", "/v1/channels/a/messages", struct{ *strings.Reader }{strings.NewReader(`"` + strings.Repeat("x", 1<<20-1) + `"`)})
	r.Host, r.ContentLength = "localhost", -1
	checkRefused(t, v.do(r), wire.TooLarge)
}

func TestPublish_WhatTheHubRefusesIsAnswered(t *testing.T) {
	for _, code := range []wire.Code{wire.Unavailable, wire.Draining, wire.Overloaded} {
		v := newWorld(t)
		v.fails = wire.Errorf(code, "not now")
		w := v.do(request("POST", "/v1/channels/a/messages", `1`))
		if checkRefused(t, w, code); w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", code)
		}
	}
}
