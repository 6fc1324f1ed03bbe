package httpapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/auth"
	"holdfast.dev/holdfast/internal/wire"
)

const otherKey = "other-key-0123456789"

// limited is a world that takes so many messages a second.
func limited(t testing.TB, perSecond int) *world {
	t.Helper()
	v := newWorld(t)
	v.MaxPublishRate = perSecond
	return v
}

func (v *world) withTwoKeys(t testing.TB) *world {
	t.Helper()
	keys, err := auth.NewKeys(testKey, otherKey)
	if err != nil {
		t.Fatal(err)
	}
	v.Keys = keys
	return v
}

// post publishes one message.
func post(h http.Handler, from string, headers ...string) *httptest.ResponseRecorder {
	r := request("POST", "/v1/channels/a/messages", "1", headers...)
	r.RemoteAddr = from
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRate_OneMessageOverIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := limited(t, 3)
		h := New(v.Deps)
		for i := range 3 {
			if w := post(h, "192.0.2.1:1"); w.Code != http.StatusOK {
				t.Errorf("message %d: %d %s", i, w.Code, w.Body)
			}
		}
		w := post(h, "192.0.2.1:2")
		if text := checkRefused(t, w, wire.TooManyRequests); !strings.Contains(text, "3 messages") || !strings.Contains(text, "--max-publish-rate") || !strings.Contains(text, "address") {
			t.Errorf("%q", text)
		}
		if after := w.Header().Get("Retry-After"); after != "1" {
			t.Errorf("Retry-After: %s", after)
		}
		if len(v.published) != 3 || v.throttled.Load() != 1 {
			t.Errorf("%d published, %d counted", len(v.published), v.throttled.Load())
		}
		time.Sleep(time.Second/3 + time.Millisecond)
		for i, want := range []int{200, 429} {
			if w := post(h, "192.0.2.1:1"); w.Code != want {
				t.Errorf("a third of a second later, message %d: %d", i, w.Code)
			}
		}
		time.Sleep(time.Minute) // no more than a second's are saved up
		for i, want := range []int{200, 200, 200, 429} {
			if w := post(h, "192.0.2.1:1"); w.Code != want {
				t.Errorf("a minute later, message %d: %d", i, w.Code)
			}
		}
	})
}

func TestRate_IsEachPublishersOwn(t *testing.T) {
	key, other := "Authorization: Bearer "+testKey, "Authorization: Bearer "+otherKey
	for name, c := range map[string]struct {
		keyed         bool
		first, second string // header of the two
		from, to      string // address of the two
		own           bool
	}{
		"addresses":          {false, "", "", "192.0.2.1:1", "192.0.2.2:1", true},
		"ports":              {false, "", "", "192.0.2.1:1", "192.0.2.1:2", false},
		"mapped":             {false, "", "", "192.0.2.1:1", "[::ffff:192.0.2.1]:1", false},
		"networks":           {false, "", "", "[2001:db8::1]:1", "[2001:db8:0:1::1]:1", true},
		"of one network":     {false, "", "", "[2001:db8::1]:1", "[2001:db8::ffff:1]:1", false},
		"behind a proxy":     {false, "X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 198.51.100.2", "10.0.0.1:1", "10.0.0.1:1", true},
		"one behind proxies": {false, "X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 198.51.100.1", "10.0.0.1:1", "10.0.0.2:1", false},
		"forged":             {false, "X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 198.51.100.2", "192.0.2.1:1", "192.0.2.1:1", false},
		"keys":               {true, key, other, "192.0.2.1:1", "192.0.2.1:1", true},
		"one key":            {true, key, key, "192.0.2.1:1", "192.0.2.2:1", false},
	} {
		synctest.Test(t, func(t *testing.T) {
			v := limited(t, 1)
			v.TrustedProxies = proxies
			if c.keyed {
				v.withTwoKeys(t)
			}
			h := New(v.Deps)
			var codes []int
			for _, w := range []*httptest.ResponseRecorder{post(h, c.from, c.first), post(h, c.to, c.second)} {
				codes = append(codes, w.Code)
			}
			want := map[bool]int{true: 200, false: 429}[c.own]
			if codes[0] != 200 || codes[1] != want {
				t.Errorf("%s: %v, want 200 and %d", name, codes, want)
			}
		})
	}
}

func TestRate_LinesAndItemsAreAnsweredOneByOne(t *testing.T) {
	const message = `{"channel":"a","data":1}`
	for unit, body := range map[string]string{
		"line": strings.Repeat(message+"\n", 5),
		"item": "[" + strings.TrimSuffix(strings.Repeat(message+",", 5), ",") + "]",
	} {
		synctest.Test(t, func(t *testing.T) {
			v := limited(t, 3)
			w := v.do(request("POST", "/v1/messages", body))
			if w.Code != http.StatusOK || strings.Count(w.Body.String(), `"subscribers":7`) != 3 || len(v.published) != 3 {
				t.Errorf("%ss: %d %s", unit, w.Code, w.Body)
			}
			for i := 4; i <= 5; i++ {
				if want := fmt.Sprintf(`{"%s":%d,"error":{"code":"too_many_requests"`, unit, i); !strings.Contains(w.Body.String(), want) {
					t.Errorf("%s is not in %s", want, w.Body)
				}
			}
			if v.throttled.Load() != 2 {
				t.Errorf("%d counted", v.throttled.Load())
			}
		})
	}
}

// TestRate_AStreamThatPausesFindsItsBudgetFilled takes lines after a pause,
// when the time of the line before says nothing.
func TestRate_AStreamThatPausesFindsItsBudgetFilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := limited(t, 2)
		s := newStream(unguarded(v), discard{}, streamed(nil))
		line := []byte(`{"channel":"a","data":1}`)
		for _, published := range []int{1, 2, 2} {
			if s.publish(line); len(v.published) != published {
				t.Errorf("%d published, want %d", len(v.published), published)
			}
		}
		time.Sleep(10 * time.Second)
		for _, published := range []int{3, 4, 4} {
			if s.publish(line); len(v.published) != published {
				t.Errorf("after a pause %d published, want %d", len(v.published), published)
			}
		}
		s.budget.done()
	})
}

// unguarded returns the api behind a world, without its guards.
func unguarded(v *world) *api {
	return &api{Deps: v.Deps, rates: newRates(v.MaxPublishRate, v.Keys.Len() > 0)}
}

func TestRate_KeepsOnlyWhoHasLatelySent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRates(10, false)
		ask := func(i int) *budget {
			r := request("POST", "/", "")
			r.RemoteAddr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1).String()
			return s.budget(r)
		}
		held := ask(0)
		for held.spend(time.Now()) {
		}
		for i := range 10_000 {
			b := ask(i + 1)
			b.spend(time.Now())
			b.done()
			time.Sleep(10 * time.Millisecond)
		}
		if n := len(s.budgets); n > 150 {
			t.Errorf("%d are kept", n)
		}
		if again := ask(0); again != held {
			t.Error("a budget in use was forgotten: whoever holds it has two")
		}
	})
}

func TestRate_HoldsForAllRequestsOfAPublisherTogether(t *testing.T) {
	const perSecond = 500_000
	s := newRates(perSecond, false)
	moment := s.start.Add(time.Minute)
	var sent atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			b := s.budget(request("POST", "/", ""))
			defer b.done()
			for b.spendAt(moment) {
				sent.Add(1)
			}
		})
	}
	wg.Wait()
	if n := sent.Load(); n != perSecond {
		t.Errorf("%d messages went through at one moment, want %d", n, perSecond)
	}
}

func TestRate_WithoutABoundNothingIsKept(t *testing.T) {
	if s := newRates(0, false); s != nil || s.budget(request("POST", "/", "")) != nil {
		t.Error("something is")
	}
}
