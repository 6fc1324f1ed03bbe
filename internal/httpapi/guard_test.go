package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/wire"
)

func TestKey_EveryCallOfV1WantsOne(t *testing.T) {
	for _, target := range []string{
		"GET /v1", "GET /v1/", "GET /v1/status", "GET /v1/nothing", "GET /v1/drain", "PATCH /v1/status", "HEAD /v1/channels",
		"POST /v1/channels/a/messages", "POST /v1/messages", "DELETE /v1/sessions/s1", "DELETE /v1/users/u/sessions",
		"GET /v1/channels/%2e%2e", "GET /v1//status", "OPTIONS /v1/status",
	} {
		method, path, _ := strings.Cut(target, " ")
		for _, auth := range []string{"", "Bearer wrong-key-0123456789", "Basic " + testKey, testKey, "Bearer", "Bearer " + testKey + "0", "Bearer " + testKey[1:]} {
			r := request(method, path, "{}")
			if auth != "" {
				r.Header.Set("Authorization", auth)
			}
			v := newWorld(t).withKey(t)
			checkRefused(t, v.do(r), wire.Unauthorized)
			if len(v.published)+len(v.disconnects) > 0 {
				t.Errorf("%s with %q was carried out", target, auth)
			}
		}
	}
}

func TestKey_TheRightOneIsEnoughAndCountsOnlyInTheHeader(t *testing.T) {
	v := newWorld(t).withKey(t)
	if w := v.do(request("GET", "/v1/status", "", "Authorization: Bearer "+testKey)); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	checkRefused(t, v.do(request("GET", "/v1/status?token="+testKey+"&api_key="+testKey, "", "Cookie: token="+testKey)), wire.Unauthorized)
	for _, open := range []string{"/", "/livez", "/readyz", "/metrics"} {
		if w := v.do(request("GET", open, "")); w.Code != 200 {
			t.Errorf("%s without a key: %d", open, w.Code)
		}
	}
}

func TestAuthorization_TwoHeadersAreRefusedEverywhere(t *testing.T) {
	for _, target := range []string{"/", "/ws", "/livez", "/v1/status", "/nothing"} {
		v := newWorld(t).withKey(t)
		w := v.do(request("GET", target, "", "Authorization: Bearer "+testKey, "Authorization: Bearer "+testKey))
		checkRefused(t, w, wire.BadRequest)
	}
}

// asked is what a browser sends along with a page's request.
func asked(origin, site string) []string {
	h := []string{"Content-Type: text/plain"}
	if origin != "" {
		h = append(h, "Origin: "+origin)
	}
	if site != "" {
		h = append(h, "Sec-Fetch-Site: "+site)
	}
	return h
}

func TestCrossSite_APageOfAnotherSiteChangesNothing(t *testing.T) {
	for _, h := range [][]string{
		asked("https://evil.com", "cross-site"),
		asked("https://evil.com", ""),
		asked("", "cross-site"),
		asked("", "same-site"),
		asked("http://localhost:5173", "same-site"),
		asked("http://localhost:5173", ""),
		asked("null", "cross-site"),
		asked("null", ""),
		asked("http://127.0.0.1.evil.com:8000", ""),
		append(asked("http://localhost:8000", ""), "Origin: https://evil.com"),
	} {
		for _, target := range []string{"POST /v1/channels/a/messages", "POST /v1/messages", "DELETE /v1/sessions/s1", "DELETE /v1/users/u/sessions", "PUT /v1/x", "POST /nothing"} {
			method, path, _ := strings.Cut(target, " ")
			v := newWorld(t)
			msg := checkRefused(t, v.do(request(method, path, `{"confirm":true}`, h...)), wire.ForbiddenOrigin)
			if !strings.Contains(msg, "origin") || len(v.published)+len(v.disconnects) > 0 {
				t.Errorf("%s with %q: %s, published %v", target, h, msg, v.published)
			}
		}
	}
}

func TestCrossSite_ProgramsOwnPagesAndAllowedPagesPublish(t *testing.T) {
	for _, h := range [][]string{
		nil,
		asked("http://localhost:8000", "same-origin"),
		asked("http://localhost:8000", ""),
		asked("", "none"),
		asked("https://allowed.example", "cross-site"),
		asked("https://allowed.example:443", "cross-site"),
	} {
		v := newWorld(t)
		v.AllowOrigins = []string{"https://allowed.example"}
		if w := v.do(request("POST", "/v1/channels/a/messages", `"x"`, h...)); w.Code != 200 || len(v.published) != 1 {
			t.Errorf("%q: %d %s", h, w.Code, w.Body)
		}
	}
}

func TestCrossSite_ARefusedPageCannotReadWhatItMayAsk(t *testing.T) {
	for _, origin := range []string{"https://evil.com", "http://localhost:5173", "null"} {
		w := newWorld(t).do(request("GET", "/v1/sessions", "", asked(origin, "cross-site")...))
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != "" || w.Header().Get("Vary") != "Origin" {
			t.Errorf("%s: Access-Control-Allow-Origin %q, Vary %q", origin, got, w.Header().Get("Vary"))
		}
	}
}

func TestPreflight_IsAnsweredForAllowedOriginsWithoutAKey(t *testing.T) {
	h := []string{"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization"}
	v := newWorld(t).withKey(t)
	v.AllowOrigins = []string{"https://allowed.example"}
	w := v.do(request("OPTIONS", "/v1/channels/a/messages", "", append(h, "Origin: https://allowed.example")...))
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Origin") != "https://allowed.example" ||
		!strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "Authorization") || w.Header().Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	w = v.do(request("OPTIONS", "/v1/channels/a/messages", "", append(h, "Origin: https://evil.com")...))
	if w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a foreign preflight: %d %v", w.Code, w.Header())
	}
}

func TestGuards_StandInTheirOrder(t *testing.T) {
	all := []string{"Host: evil.com", "Authorization: Bearer a", "Authorization: Bearer b", "Origin: https://evil.com", "Sec-Fetch-Site: cross-site"}
	v := newWorld(t)
	checkRefused(t, v.do(request("POST", "/v1/nothing", "x", all...)), wire.ForbiddenHost)
	checkRefused(t, v.do(request("POST", "/v1/nothing", "x", all[1:]...)), wire.BadRequest)
	checkRefused(t, v.withKey(t).do(request("POST", "/v1/nothing", "x", all[3:]...)), wire.ForbiddenOrigin)
	checkRefused(t, v.do(request("POST", "/v1/nothing", "x")), wire.Unauthorized)
}

// unread fails the test when the body is looked at.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, http.ErrBodyReadAfterClose
}

func TestGuards_StandBeforeTheBody(t *testing.T) {
	r := httptest.NewRequest("POST", "/v1/channels/a/messages", unread{t})
	r.Host = "localhost"
	checkRefused(t, newWorld(t).withKey(t).do(r), wire.Unauthorized)
}

func TestRoute_UnknownPathsAndMethods(t *testing.T) {
	for target, code := range map[string]wire.Code{
		"GET /nothing":                   wire.NotFound,
		"GET /v1":                        wire.NotFound,
		"GET /v1/":                       wire.NotFound,
		"GET /v1/status/":                wire.NotFound,
		"GET /ws/":                       wire.NotFound,
		"GET /livez/":                    wire.NotFound,
		"GET /v1//status":                wire.NotFound,
		"GET /v1/x/../status":            wire.NotFound,
		"GET /v1/channels/a/":            wire.NotFound,
		"GET /v1/channels/a/history":     wire.NotFound,
		"GET /v1/schedules":              wire.NotFound,
		"POST /events":                   wire.MethodNotAllowed,
		"PUT /v1/channels/a/messages":    wire.MethodNotAllowed,
		"POST /v1/drain":                 wire.BadRequest,
		"PUT /v1/drain":                  wire.MethodNotAllowed,
		"POST /v1/status":                wire.MethodNotAllowed,
		"PATCH /v1/sessions/s1":          wire.MethodNotAllowed,
		"POST /ws":                       wire.MethodNotAllowed,
		"DELETE /":                       wire.MethodNotAllowed,
		"POST /v1/channels//messages":    wire.BadChannel,
		"POST /v1/channels/../messages":  wire.BadChannel,
		"POST /v1/channels/./messages":   wire.BadChannel,
		"POST /v1/channels/%2e/messages": wire.BadChannel,
	} {
		method, path, _ := strings.Cut(target, " ")
		w := newWorld(t).do(request(method, path, ""))
		checkRefused(t, w, code)
		if (code == wire.MethodNotAllowed) != (w.Header().Get("Allow") != "") {
			t.Errorf("%s: Allow %q", target, w.Header().Get("Allow"))
		}
	}
	w := newWorld(t).do(request("PUT", "/v1/channels/a/messages", "x"))
	if checkRefused(t, w, wire.MethodNotAllowed); w.Header().Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("Allow %q", w.Header().Get("Allow"))
	}
}

func TestRoute_HeadAndOptions(t *testing.T) {
	for _, target := range []string{"/", "/livez", "/readyz", "/metrics", "/v1/status", "/v1/channels"} {
		if w := newWorld(t).do(request("HEAD", target, "")); w.Code != 200 {
			t.Errorf("HEAD %s: %d", target, w.Code)
		}
	}
	w := newWorld(t).do(request("OPTIONS", "/v1/channels", ""))
	if w.Code != 204 || w.Header().Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("OPTIONS: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
	checkRefused(t, newWorld(t).do(request("OPTIONS", "/nothing", "")), wire.NotFound)
}

func TestPanic_IsA500AndALineInTheLog(t *testing.T) {
	v := newWorld(t)
	v.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a fault") })
	checkRefused(t, v.do(request("GET", "/metrics", "")), wire.Internal)
	if !strings.Contains(v.log.String(), "a fault") {
		t.Errorf("log: %s", v.log.String())
	}
}
