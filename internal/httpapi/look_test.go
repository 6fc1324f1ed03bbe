package httpapi

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/drain"
	"holdfast.dev/holdfast/internal/wire"
)

func TestLook_Answers(t *testing.T) {
	for target, want := range map[string]string{
		"/v1/channels":                           `{"channels":[{"channel":"a","subscribers":1},{"channel":"b1","subscribers":1},{"channel":"b2","subscribers":1},{"channel":"b3","subscribers":1},{"channel":"c","subscribers":1}]}`,
		"/v1/channels?prefix=b&limit=2":          `{"channels":[{"channel":"b1","subscribers":1},{"channel":"b2","subscribers":1}],"next":"b2"}`,
		"/v1/channels?prefix=b&limit=2&after=b2": `{"channels":[{"channel":"b3","subscribers":1}]}`,
		"/v1/channels?prefix=zzz":                `{"channels":[]}`,
		"/v1/channels/a":                         `{"channel":"a","subscribers":4}`,
		"/v1/sessions?user=nobody":               `{"sessions":[]}`,
		"/livez":                                 `{"state":"live"}`,
		"/readyz":                                `{"state":"serving","remaining":0}`,
		"/v1/drain":                              `{"state":"serving","remaining":0}`,
	} {
		if w := newWorld(t).do(request("GET", target, "")); w.Code != 200 || strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

func TestLook_SessionsAreFiltered(t *testing.T) {
	w := newWorld(t).do(request("GET", "/v1/sessions?channel=news&user=ann&limit=5", ""))
	var got struct {
		Sessions []struct {
			Session, User, Transport string
			LagBytes                 int `json:"lag_bytes"`
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Sessions) != 1 {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if s := got.Sessions[0]; s.User != "ann" || s.Transport != "news" || s.LagBytes != 5 {
		t.Errorf("the filter that arrived is %+v", s)
	}
}

func TestLook_BadInput(t *testing.T) {
	for target, code := range map[string]wire.Code{
		"/v1/channels?limit=0":                     wire.BadRequest,
		"/v1/channels?limit=1001":                  wire.BadRequest,
		"/v1/channels?limit=x":                     wire.BadRequest,
		"/v1/channels?limit=1&limit=2":             wire.BadRequest,
		"/v1/channels?prefix=a%20":                 wire.BadChannel,
		"/v1/channels?after=%ff":                   wire.BadChannel,
		"/v1/channels/b":                           wire.NotFound,
		"/v1/channels/b%20":                        wire.BadChannel,
		"/v1/sessions?limit=-1":                    wire.BadRequest,
		"/v1/sessions?channel=%2f":                 wire.BadChannel,
		"/v1/sessions?user=a;user=b":               wire.BadRequest,
		"/v1/channels/" + strings.Repeat("a", 201): wire.BadChannel,
	} {
		checkRefused(t, newWorld(t).do(request("GET", target, "")), code)
	}
}

func TestDisconnect_OneSession(t *testing.T) {
	v := newWorld(t)
	if w := v.do(request("DELETE", "/v1/sessions/s1", "")); w.Code != 200 || w.Body.String() != `{"disconnected":1}`+"\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	checkRefused(t, v.do(request("DELETE", "/v1/sessions/s2", "")), wire.NotFound)
}

func TestDisconnect_AUserWantsToBeConfirmed(t *testing.T) {
	for _, body := range []string{"", "{}", `{"confirm":false}`, `{"confirm":"true"}`, `true`, `{"confirm":true`, "confirm=true"} {
		v := newWorld(t)
		checkRefused(t, v.do(request("DELETE", "/v1/users/ann/sessions", body)), wire.BadRequest)
		if len(v.disconnects) > 0 {
			t.Errorf("%q: disconnected %v", body, v.disconnects)
		}
	}
	checkRefused(t, newWorld(t).do(request("DELETE", "/v1/users/ann/sessions", strings.Repeat(" ", maxIntent)+`{"confirm":true}`)), wire.TooLarge)
	v := newWorld(t)
	w := v.do(request("DELETE", "/v1/users/ann%40x/sessions", `{"confirm":true}`))
	if w.Code != 200 || w.Body.String() != `{"disconnected":2}`+"\n" || v.disconnects[0] != "user ann@x" {
		t.Errorf("%d %s, %v", w.Code, w.Body, v.disconnects)
	}
}

func TestStatus_SaysWhatProtocolPromises(t *testing.T) {
	w := newWorld(t).do(request("GET", "/v1/status", ""))
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	for name, want := range map[string]any{
		"version": "1.2.3", "pid": float64(os.Getpid()), "sessions": 3.0, "channels": 2.0, "published": 41.0, "published_per_s": 1.5, "delivered_per_s": 0.0,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if n, _ := got["memory_bytes"].(float64); n < 1<<20 {
		t.Errorf("memory_bytes %v", got["memory_bytes"])
	}
	if n, ok := got["uptime_s"].(float64); !ok || n < 0 || n > 600 {
		t.Errorf("uptime_s %v", got["uptime_s"])
	}
	if d, _ := got["drain"].(map[string]any); d["state"] != "serving" {
		t.Errorf("drain %v", got["drain"])
	}
}

func TestProbes_WhileDraining(t *testing.T) {
	v := newWorld(t)
	v.progress = drain.Progress{State: drain.Waiting, Tally: drain.Tally{Remaining: 8, Of: 12}, Left: 90 * time.Second, ForcedAt: time.Unix(1800000000, 0).UTC(), StartedAt: time.Unix(1799999000, 0).UTC(), Cause: "SIGTERM"}
	w := v.do(request("GET", "/readyz", ""))
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 503 {
		t.Fatalf("%d %v: %s", w.Code, err, w.Body)
	}
	if got["state"] != "waiting" || got["remaining"] != 8.0 || got["of"] != 12.0 || got["left_s"] != 90.0 || got["forced_at"] != "2027-01-15T08:00:00Z" {
		t.Errorf("readyz: %s", w.Body)
	}
	if w := v.do(request("GET", "/livez", "")); w.Code != 200 {
		t.Errorf("livez: %d", w.Code)
	}
	if w := v.do(request("GET", "/v1/drain", "")); w.Code != 200 || !strings.Contains(w.Body.String(), `"remaining":8`) {
		t.Errorf("drain: %d %s", w.Code, w.Body)
	}
}

func TestHowTo_NamesTheAddressThatWasAsked(t *testing.T) {
	w := newWorld(t).do(request("GET", "/", "", "Host: 127.0.0.1:8123"))
	for _, line := range []string{"websocat ws://127.0.0.1:8123/ws", "http://127.0.0.1:8123/v1/channels/broadcast/messages"} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("no %q in:\n%s", line, w.Body)
		}
	}
	v := newWorld(t)
	v.Insecure = true
	if w := v.do(request("GET", "/", "", "Host: a\x1b[31m.example")); strings.Contains(w.Body.String(), "\x1b") {
		t.Error("raw text of the client in the answer")
	}
}
