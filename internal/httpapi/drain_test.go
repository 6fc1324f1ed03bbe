package httpapi

import (
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/drain"
	"holdfast.dev/holdfast/internal/wire"
)

func TestDrain_BeginsWhenItIsMeant(t *testing.T) {
	for _, body := range []string{"", "{}", `{"confirm":false}`, `true`, "confirm=true"} {
		v := newWorld(t)
		checkRefused(t, v.do(request("POST", "/v1/drain", body)), wire.BadRequest)
		if len(v.orders) > 0 {
			t.Errorf("%q: %q", body, v.orders)
		}
	}
	v := newWorld(t)
	if w := v.do(request("POST", "/v1/drain", `{"confirm":true}`)); w.Code != 200 || !strings.HasPrefix(w.Body.String(), `{"state":"announcing"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !slices.Equal(v.orders, []string{"start 0s"}) {
		t.Errorf("%q", v.orders)
	}
}

func TestDrain_TakesALimit(t *testing.T) {
	for _, limit := range []string{"x", "10", "0", "0s", "-1m", "999ms", "169h", "1s&limit=2s", "%"} {
		v := newWorld(t)
		checkRefused(t, v.do(request("POST", "/v1/drain?limit="+limit, `{"confirm":true}`)), wire.BadRequest)
		if len(v.orders) > 0 {
			t.Errorf("%s: %q", limit, v.orders)
		}
	}
	v := newWorld(t)
	for _, limit := range []string{"1s", "1h30m", "168h"} { // the second and third change the first
		if w := v.do(request("POST", "/v1/drain?limit="+limit, `{"confirm":true}`)); w.Code != 200 {
			t.Errorf("%s: %d %s", limit, w.Code, w.Body)
		}
	}
	if !slices.Equal(v.orders, []string{"start 1s", "start 1h30m0s", "start 168h0m0s"}) {
		t.Errorf("%q", v.orders)
	}
}

func TestDrain_SaysWhatIsInTheWay(t *testing.T) {
	start := func(v *world) string {
		return checkRefused(t, v.do(request("POST", "/v1/drain", `{"confirm":true}`)), wire.Conflict)
	}
	cancel := func(v *world) string {
		return checkRefused(t, v.do(request("DELETE", "/v1/drain", "")), wire.Conflict)
	}
	v := newWorld(t)
	if m := cancel(v); !strings.Contains(m, "no drain") {
		t.Error(m)
	}
	v.progress = drain.Progress{State: drain.Waiting, Left: 90 * time.Second}
	if m := start(v); !strings.Contains(m, "1m30s left") || !strings.Contains(m, "limit=") {
		t.Error(m)
	}
	v.progress.State = drain.Forcing
	if m := start(v); !strings.Contains(m, "too late") {
		t.Error(m)
	}
	if m := cancel(v); !strings.Contains(m, "too late") {
		t.Error(m)
	}
}

func TestDrain_IsCalledOff(t *testing.T) {
	v := newWorld(t)
	v.progress = drain.Progress{State: drain.Shedding}
	if w := v.do(request("DELETE", "/v1/drain", "")); w.Code != 200 || !strings.HasPrefix(w.Body.String(), `{"state":"serving"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
