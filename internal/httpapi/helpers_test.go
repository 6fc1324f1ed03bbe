package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/auth"
	"holdfast.dev/holdfast/internal/drain"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

const testKey = "test-key-0123456789"

// world is everything that the interface stands on, faked.
type world struct {
	Deps
	log bytes.Buffer // guarded by the handler's own lock

	mu        sync.Mutex
	published []wire.Publication
	fails     error // what every publish fails with
	throttled atomic.Int64
	answered  map[wire.Code]int // requests, lines and items with an error
	disconnects,
	newcomers []string
	addresses []netip.AddrPort // that newcomers came from, or asked from
	asked     []string         // users whose refusal was asked for
	refusal   *wire.Error
	refused   []wire.Code
	progress  drain.Progress
	orders    []string // to drain, and to call it off
}

func newWorld(t testing.TB) *world {
	t.Helper()
	v := &world{}
	v.Deps = Deps{
		Publisher: v, Channels: v, Sessions: v, Door: v, History: v, Drainer: v,
		Admission:      admission("*"),
		Drain:          func() drain.Progress { return v.progress },
		Stats:          func() Stats { return Stats{Sessions: 3, Channels: 2, Published: 41, PublishedPerSec: 1.5} },
		Metrics:        http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "metrics here") }),
		CountRefusal:   func(c wire.Code) { v.mu.Lock(); v.refused = append(v.refused, c); v.mu.Unlock() },
		ObservePublish: func(time.Duration) {},
		CountThrottled: func() { v.throttled.Add(1) },
		CountRequestRefusal: func(c wire.Code) {
			v.mu.Lock()
			defer v.mu.Unlock()
			if v.answered == nil {
				v.answered = make(map[wire.Code]int)
			}
			v.answered[c]++
		},
		Logger:     slog.New(slog.NewTextHandler(&v.log, nil)),
		Version:    "1.2.3",
		Started:    time.Now(),
		Listen:     "127.0.0.1:8000",
		MaxMessage: 1 << 20,
	}
	return v
}

// admission opens channels to clients without a token. There is one token.
func admission(open ...wire.Pattern) Admission {
	policy := &session.Policy{Anonymous: open}
	verify := func(_ context.Context, token string) (*session.Grant, error) {
		if token != "good" {
			return nil, wire.Errorf(wire.Unauthorized, "no such token")
		}
		return &session.Grant{User: "ann", Channels: []wire.Pattern{"vip-*"}}, nil
	}
	return Admission{Anonymous: open, Verify: verify, MaySubscribe: policy.MaySubscribe}
}

func (v *world) Start(_ context.Context, limit time.Duration) error {
	v.orders = append(v.orders, "start "+limit.String())
	switch {
	case v.progress.State >= drain.Forcing:
		return drain.ErrForcing
	case v.progress.State > drain.Serving && limit == 0:
		return drain.ErrDraining
	}
	v.progress.State = drain.Announcing
	return nil
}

func (v *world) Cancel(context.Context) error {
	v.orders = append(v.orders, "cancel")
	switch {
	case v.progress.State >= drain.Forcing:
		return drain.ErrForcing
	case v.progress.State == drain.Serving:
		return drain.ErrServing
	}
	v.progress.State = drain.Serving
	return nil
}

func (v *world) History(channel string, since wire.ID, limit, _ int) (hub.History, error) {
	v.newcomers = append(v.newcomers, fmt.Sprintf("%s %v %d", channel, since, limit))
	return hub.History{Complete: since.Seq > 3, Next: wire.ID{Epoch: "e", Seq: 9}}, nil
}

func (v *world) withKey(t testing.TB) *world {
	t.Helper()
	keys, err := auth.NewKeys(testKey)
	if err != nil {
		t.Fatal(err)
	}
	v.Keys = keys
	return v
}

func (v *world) Publish(_ context.Context, p wire.Publication) (hub.Receipt, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fails != nil {
		return hub.Receipt{}, v.fails
	}
	p.Data = bytes.Clone(p.Data)
	v.published = append(v.published, p)
	at := time.Date(2026, 5, 4, 3, 2, 1, 45e6+678, time.UTC)
	return hub.Receipt{Channel: p.Channel, ID: wire.ID{Epoch: "e", Seq: uint64(len(v.published))}, Time: at, Subscribers: 7}, nil
}

func (v *world) Channels(prefix, after string, limit int) []hub.ChannelInfo {
	var found []hub.ChannelInfo
	for _, name := range []string{"a", "b1", "b2", "b3", "c"} {
		if strings.HasPrefix(name, prefix) && name > after && len(found) < limit {
			found = append(found, hub.ChannelInfo{Name: name, Subscribers: 1})
		}
	}
	return found
}

func (v *world) Channel(name string) (hub.ChannelInfo, bool) {
	return hub.ChannelInfo{Name: name, Subscribers: 4}, name == "a"
}

func (v *world) Sessions(_ context.Context, f session.Filter) []session.Info {
	if f.User == "nobody" {
		return nil
	}
	return []session.Info{{ID: "s1", User: f.User, Transport: f.Channel, LagBytes: f.Limit}}
}

func (v *world) Disconnect(_ context.Context, id string, revoke bool) (bool, error) {
	if revoke {
		id += " revoked"
	}
	v.disconnects = append(v.disconnects, id)
	return strings.HasPrefix(id, "s1"), nil
}

func (v *world) DisconnectUser(_ context.Context, user string, revoke bool) (int, error) {
	if revoke {
		user += " revoked"
	}
	v.disconnects = append(v.disconnects, "user "+user)
	return 2, nil
}

func (v *world) Upgrade(w http.ResponseWriter, _ *http.Request, n Newcomer) *wire.Error {
	if v.refusal != nil {
		return v.refusal
	}
	v.addresses = append(v.addresses, n.Address)
	var names []string
	for _, w := range n.Wants {
		names = append(names, strings.TrimSuffix(w.Channel+"@"+w.Since.String(), "@-0"))
	}
	v.newcomers = append(v.newcomers, strings.Join(names, " "))
	w.WriteHeader(http.StatusTeapot) // stands for an upgrade where no connection can be taken over
	return nil
}

func (v *world) Refusal(address netip.Addr, user string) *wire.Error {
	v.addresses = append(v.addresses, netip.AddrPortFrom(address, 0))
	v.asked = append(v.asked, user)
	return v.refusal
}

// request makes a request of this machine. Headers are "Name: value".
func request(method, target, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequest(method, target, nil)
	}
	r.Host = "localhost:8000"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Add(name, value)
	}
	return r
}

func (v *world) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	New(v.Deps).ServeHTTP(w, r)
	return w
}

// refused checks that an answer is the refusal with this code, in its whole
// form, and returns its message.
func checkRefused(t testing.TB, w *httptest.ResponseRecorder, code wire.Code) string {
	t.Helper()
	var body struct {
		Error struct{ Code, Message, Help string }
	}
	if w.Code != code.Status() {
		t.Errorf("status %d, want %d (%s): %s", w.Code, code.Status(), code, w.Body)
		return ""
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Errorf("the body is no JSON: %v: %q", err, w.Body)
	}
	if body.Error.Code != string(code) || body.Error.Message == "" || body.Error.Help != code.Help() {
		t.Errorf("code %q, want %q: %s", body.Error.Code, code, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	return body.Error.Message
}

// serve runs the interface on a real socket and returns its address.
func (v *world) serve(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := Server(New(v.Deps), slog.New(slog.DiscardHandler))
	var served sync.WaitGroup
	served.Go(func() { srv.Serve(Listener(ln)) })
	t.Cleanup(func() {
		srv.Close()
		served.Wait()
	})
	return ln.Addr().String()
}

// talk sends raw bytes and returns everything up to the end of the
// connection.
func talk(t testing.TB, addr, raw string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("%v after %q", err, got)
	}
	return string(got)
}
