package transport

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// node is a hub, its loops and an HTTP server with nothing around them.
type node struct {
	*Server
	hub *hub.Hub
	web *httptest.Server
}

// frame is any frame from the server.
type frame struct {
	Type, Channel, ID, Code, Session  string
	Reason, After, Next, User, Action string
	Recovered, Complete               *bool
	Replayed                          int
	Messages                          []frame
	Data                              json.RawMessage
	Request                           json.RawMessage
}

func newPolicy(h *hub.Hub) *session.Policy {
	return &session.Policy{
		Node: "test", Version: "test", Heartbeat: time.Minute, MaxFrame: 64 << 10, MaxSubscriptions: 1000,
		FramesPerSecond: 1000, FrameBurst: 2000, ClientPublish: []wire.Pattern{"open*"},
		Anonymous: []wire.Pattern{"*"}, MaxPage: 1 << 19, Hub: h,
	}
}

func start(t testing.TB, secure bool, adjust func(*session.Policy, *Limits)) *node {
	t.Helper()
	h := hub.New()
	policy, limits := newPolicy(h), Limits{MaxSessions: 10_000, MaxConnectRate: 100_000, MaxLag: 1 << 20}
	if adjust != nil {
		adjust(policy, &limits)
	}
	n := &node{hub: h}
	s, err := New(Setup{
		Hub: h, Policy: policy, Limits: limits, Logger: slog.New(slog.DiscardHandler),
		Ended: func(wire.CloseCode) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Use(memory.New(h), s.Listeners())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Run(ctx)
	}()
	web := httptest.NewUnstartedServer(upgrade(s, policy))
	if secure {
		web.StartTLS()
	} else {
		web.Start()
	}
	t.Cleanup(func() {
		web.Close()
		cancel()
		<-done
	})
	n.Server, n.web = s, web
	return n
}

func upgrade(s *Server, policy *session.Policy) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handshake, refusal := ws.CheckHandshake(r, policy.Compress)
		if refusal != nil {
			http.Error(w, refusal.Message, refusal.Status)
			return
		}
		req := Request{Handshake: handshake, Address: netip.MustParseAddrPort(r.RemoteAddr)}
		if user := r.URL.Query().Get("user"); user != "" {
			req.Grant = &session.Grant{User: user}
		}
		if list := r.URL.Query().Get("channels"); list != "" {
			req.Wants = wanted(strings.Split(list, ","), r.URL.Query().Get("since"))
		}
		if err := s.Upgrade(w, r, req); err != nil {
			http.Error(w, err.Error(), err.Code.Status())
		}
	})
}

// wanted names channels, all from the same place.
func wanted(names []string, since string) []wire.Wanted {
	place, _ := wire.ParseID(since)
	wants := make([]wire.Wanted, len(names))
	for i, name := range names {
		wants[i] = wire.Wanted{Channel: name, Since: place}
	}
	return wants
}

// dial connects and reads the welcome.
func (n *node) dial(t testing.TB, query string, options *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	if options == nil {
		options = &websocket.DialOptions{}
	}
	options.HTTPClient = n.web.Client()
	c, _, err := websocket.Dial(t.Context(), strings.Replace(n.web.URL, "http", "ws", 1)+"/ws"+query, options)
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = c.CloseNow() })
	if f := read(t, c); f.Type != "welcome" || len(f.Session) != 16 {
		t.Fatalf("first frame %+v, want a welcome", f)
	}
	return c
}

func read(t testing.TB, c *websocket.Conn) (f frame) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, p, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(p, &f); err != nil {
		t.Fatalf("%q: %v", p, err)
	}
	return f
}

func request(t testing.TB, c *websocket.Conn, text string) frame {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return read(t, c)
}

func (n *node) publish(t testing.TB, channel, data string) hub.Receipt {
	t.Helper()
	r, err := n.hub.Publish(t.Context(), wire.Publication{Channel: channel, Data: []byte(data)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// carriers runs a test on both transports.
func carriers(t *testing.T, f func(t *testing.T, secure bool)) {
	t.Run("loop", func(t *testing.T) { f(t, false) })
	t.Run("stream", func(t *testing.T) { f(t, true) })
}

func TestSession_GetsWhatItSubscribedTo(t *testing.T) {
	carriers(t, func(t *testing.T, secure bool) {
		n := start(t, secure, nil)
		c := n.dial(t, "?channels=news", nil)
		if f := read(t, c); f.Type != "subscribed" || f.Channel != "news" {
			t.Fatalf("got %+v", f)
		}
		n.publish(t, "broadcast", `"all"`)
		if f := read(t, c); f.Channel != "broadcast" || string(f.Data) != `"all"` {
			t.Fatalf("got %+v", f)
		}
		r := n.publish(t, "news", `{"a":1}`)
		if f := read(t, c); r.Subscribers != 1 || f.ID != r.ID.String() || string(f.Data) != `{"a":1}` {
			t.Fatalf("got %+v, receipt %+v", f, r)
		}
		if f := request(t, c, `{"type":"unsubscribe","channel":"news","request":7}`); f.Type != "unsubscribed" || string(f.Request) != "7" {
			t.Fatalf("got %+v", f)
		}
		if r := n.publish(t, "news", `2`); r.Subscribers != 0 {
			t.Fatalf("%d subscribers after the last one left", r.Subscribers)
		}
		if f := request(t, c, `{"type":"publish","channel":"open1","data":[1, 2]}`); f.Type != "published" {
			t.Fatalf("got %+v", f)
		}
		if f := request(t, c, `{"type":"publish","channel":"shut","data":1}`); f.Code != "forbidden" {
			t.Fatalf("got %+v", f)
		}
		if n.hub.Count() != 1 {
			t.Errorf("%d channels are kept, want broadcast alone", n.hub.Count())
		}
	})
}

// TestSession_SeesEachMessageOnceAndInOrder has readers that stall while
// numbered messages, small and large, compressed and not, are published on
// several channels.
func TestSession_SeesEachMessageOnceAndInOrder(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	carriers(t, func(t *testing.T, secure bool) {
		const clients, messages = 8, 3000
		n := start(t, secure, func(p *session.Policy, l *Limits) { p.Compress, l.MaxLag = true, 1<<30 })
		rng := rand.New(rand.NewPCG(seed, 0))
		channels := []string{"broadcast", "a", "b"}
		stalled := make(chan struct{})
		done := make(chan error, clients)
		for i := range clients {
			mode := websocket.CompressionDisabled
			if i%2 == 0 {
				mode = websocket.CompressionNoContextTakeover
			}
			c := n.dial(t, "?channels=a,b", &websocket.DialOptions{CompressionMode: mode})
			read(t, c)
			read(t, c)
			go func() {
				if i < clients/2 {
					<-stalled // reads nothing until everything was published
				}
				done <- follow(t.Context(), c, messages)
			}()
		}
		sent := make(map[string]int)
		for range messages {
			ch := channels[rng.IntN(len(channels))]
			pad := strings.Repeat("x", rng.IntN(rng.IntN(4000)+1))
			n.publish(t, ch, fmt.Sprintf(`{"n":%d,"pad":"%s"}`, sent[ch], pad))
			sent[ch]++
		}
		close(stalled)
		for range clients {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

// follow reads so many messages and checks that each channel's are numbered
// without a gap.
func follow(ctx context.Context, c *websocket.Conn, messages int) error {
	next := make(map[string]int)
	for range messages {
		_, p, err := c.Read(ctx)
		if err != nil {
			return err
		}
		var f struct {
			Channel string
			Data    struct{ N int }
		}
		if err := json.Unmarshal(p, &f); err != nil {
			return fmt.Errorf("%.80q: %w", p, err)
		}
		if f.Data.N != next[f.Channel] {
			return fmt.Errorf("%s: message %d where %d was due", f.Channel, f.Data.N, next[f.Channel])
		}
		next[f.Channel]++
	}
	return nil
}

func TestSlowClient_IsClosedAtItsLagAndHarmsNobody(t *testing.T) {
	carriers(t, func(t *testing.T, secure bool) {
		n := start(t, secure, func(_ *session.Policy, l *Limits) { l.MaxLag = 64 << 10 })
		slow, good := n.dial(t, "", nil), n.dial(t, "", nil)
		data := `{"pad":"` + strings.Repeat("x", 8<<10) + `"}`
		for len(n.Sessions(t.Context(), session.Filter{})) == 2 {
			n.publish(t, "broadcast", data)
			if f := read(t, good); f.Type != "message" {
				t.Fatalf("got %+v", f)
			}
		}
		for {
			if _, _, err := slow.Read(t.Context()); err != nil {
				if code := websocket.CloseStatus(err); code != 4008 {
					t.Errorf("the slow client saw %v, want close 4008", err)
				}
				return
			}
		}
	})
}

func TestFleet_ClosesAllWith1012AndIsEmptyThen(t *testing.T) {
	carriers(t, func(t *testing.T, secure bool) {
		n := start(t, secure, nil)
		var clients []*websocket.Conn
		for range 10 {
			clients = append(clients, n.dial(t, "", nil))
		}
		if open := n.StopAdmitting(); open != 10 {
			t.Errorf("%d open, want 10", open)
		}
		_, resp, err := websocket.Dial(t.Context(), strings.Replace(n.web.URL, "http", "ws", 1), &websocket.DialOptions{HTTPClient: n.web.Client()})
		if err == nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a session was let in while draining: %v", err)
		}
		n.publish(t, "broadcast", `"still"`)
		n.CloseSome(10)
		for _, c := range clients {
			if f := read(t, c); string(f.Data) != `"still"` {
				t.Errorf("got %+v before the close frame", f)
			}
			_, _, err := c.Read(t.Context())
			if websocket.CloseStatus(err) != 1012 || !strings.Contains(err.Error(), "restart retry=") {
				t.Errorf("got %v, want 1012", err)
			}
		}
		<-n.Empty()
	})
}

func TestOperator_ListsAndDisconnects(t *testing.T) {
	n := start(t, false, nil)
	c := n.dial(t, "?user=ann&channels=x", nil)
	n.dial(t, "", nil)
	if all := n.Sessions(t.Context(), session.Filter{}); len(all) != 2 {
		t.Fatalf("%d sessions, want 2", len(all))
	}
	found := n.Sessions(t.Context(), session.Filter{User: "ann", Channel: "x"})
	if len(found) != 1 || found[0].Subscriptions != 1 {
		t.Fatalf("found %+v", found)
	}
	if n.Disconnect(t.Context(), "nobody", session.ByOperator) {
		t.Error("disconnected a session that is not there")
	}
	if !n.Disconnect(t.Context(), found[0].ID, session.ByOperator) {
		t.Error("did not find the session")
	}
	read(t, c)
	if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != 4009 {
		t.Errorf("got %v, want 4009", err)
	}
}

func TestReset_AtEveryByteOfTheHandshakeLeavesNothing(t *testing.T) {
	n := start(t, false, nil)
	request := "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n\r\n"
	for i := range len(request) + 1 {
		c, err := net.Dial("tcp", n.web.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, request[:i])
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
	n.StopAdmitting()
	<-n.Empty()
}

// TestFleet_CloseSomeTellsOneMoreEachTime has clients that take their time
// to close: those that were told already must not be told in others' place.
func TestFleet_CloseSomeTellsOneMoreEachTime(t *testing.T) {
	n := start(t, false, nil)
	const clients = 20
	told := make(chan struct{}, clients)
	for range clients {
		c := n.dial(t, "", nil)
		go func() {
			_, _, err := c.Reader(t.Context())
			if websocket.CloseStatus(err) == 1012 {
				told <- struct{}{}
			}
		}()
	}
	n.StopAdmitting()
	for range clients {
		n.CloseSome(1)
		select {
		case <-told:
		case <-time.After(10 * time.Second):
			t.Fatalf("%d sessions are open and were not told", n.Open())
		}
	}
}
