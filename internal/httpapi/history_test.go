package httpapi

import (
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

func TestHistory_AsksForWhatTheQuerySays(t *testing.T) {
	for target, want := range map[string]string{
		"/v1/channels/a/messages":                   "a -0 100",
		"/v1/channels/a/messages?limit=7&since=e-5": "a e-5 7",
	} {
		v := newWorld(t)
		w := v.do(request("GET", target, ""))
		if w.Code != 200 || v.newcomers[0] != want {
			t.Errorf("%s: %d %s, asked for %q", target, w.Code, w.Body, v.newcomers)
		}
		if body := w.Body.String(); !strings.Contains(body, `"messages":[],"complete":`) || !strings.HasSuffix(body, `"next":"e-9"}`+"\n") {
			t.Errorf("%s: %s", target, body)
		}
	}
	for target, code := range map[string]wire.Code{
		"/v1/channels/a%20b/messages":       wire.BadChannel,
		"/v1/channels/a/messages?limit=0":   wire.BadRequest,
		"/v1/channels/a/messages?since=5":   wire.BadRequest,
		"/v1/channels/a/presence":           wire.NotFound,
		"/v1/channels/a/presence?limit=big": wire.BadRequest,
		"/v1/channels/a%20b/presence":       wire.BadChannel,
	} {
		checkRefused(t, newWorld(t).do(request("GET", target, "")), code)
	}
}

// everybody is always at channel a.
type everybody struct{ session.Presence }

func (everybody) Covers(channel string) bool { return channel == "a" }

func (everybody) Members(_ string, limit int) ([]wire.Member, int) {
	return []wire.Member{{User: "ann", Sessions: 2}, {User: "bob", Sessions: 1}}[:min(limit, 2)], 2
}

func TestPresence_IsListed(t *testing.T) {
	v := newWorld(t)
	v.Presence = everybody{}
	w := v.do(request("GET", "/v1/channels/a/presence?limit=1", ""))
	if want := `{"channel":"a","members":[{"user":"ann","sessions":2}],"total":2}` + "\n"; w.Body.String() != want {
		t.Errorf("got %s", w.Body)
	}
	checkRefused(t, v.do(request("GET", "/v1/channels/b/presence", "")), wire.NotFound)
}

func TestDisconnect_RevokesWhenAskedTo(t *testing.T) {
	v := newWorld(t)
	v.do(request("DELETE", "/v1/sessions/s1?revoke=true", ""))
	v.do(request("DELETE", "/v1/users/ann/sessions?revoke=true", `{"confirm":true}`))
	v.do(request("DELETE", "/v1/sessions/s1?revoke=false", ""))
	if got := strings.Join(v.disconnects, ", "); got != "s1 revoked, user ann revoked, s1" {
		t.Errorf("disconnected %s", got)
	}
	checkRefused(t, v.do(request("DELETE", "/v1/sessions/s1?revoke=1", "")), wire.BadRequest)
}

// TestHost_MattersOnlyWhereNothingIsShown asks for a foreign name on loopback:
// a page that has pointed its own name here has neither key nor token.
func TestHost_MattersOnlyWhereNothingIsShown(t *testing.T) {
	v := newWorld(t).withKey(t)
	checkRefused(t, v.do(request("GET", "/ws", "", upgrade("Host: evil.com")...)), wire.ForbiddenHost)
	v.Admission = admission()
	if w := v.do(request("GET", "/ws?token=good", "", upgrade("Host: behind.a.proxy")...)); w.Code != 418 {
		t.Errorf("with a token: %d %s", w.Code, w.Body)
	}
}

func TestPublish_AnEmptyKeyIsNoKey(t *testing.T) {
	checkRefused(t, newWorld(t).do(request("POST", "/v1/channels/a/messages", "1", "Idempotency-Key: ")), wire.BadRequest)
}
