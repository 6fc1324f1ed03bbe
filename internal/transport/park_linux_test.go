package transport

import (
	"bufio"
	"context"
	"encoding/binary"
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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sys/unix"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// both hands messages to the hubs of two servers.
type both struct{ a, b *hub.Hub }

func (s both) Deliver(m engine.Message)    { s.a.Deliver(m); s.b.Deliver(m) }
func (s both) Suspect(channels []string)   { s.a.Suspect(channels); s.b.Suspect(channels) }
func (s both) Listens(channel string) bool { return s.a.Listens(channel) || s.b.Listens(channel) }

// pair starts two servers on one engine; clients connect to the first.
func pair(t *testing.T, adjust func(*session.Policy, *Limits)) (first *node, second *Server) {
	t.Helper()
	a, b := hub.New(), hub.New()
	e := memory.NewWith(both{a, b}, memory.Options{Rules: ledger.Rules{Default: ledger.Keep{Messages: 1 << 20}}})
	var servers []*Server
	var done sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	for _, h := range []*hub.Hub{a, b} {
		policy, limits := newPolicy(h), Limits{MaxSessions: 10_000, MaxConnectRate: 100_000, MaxLag: 8 << 20}
		if adjust != nil {
			adjust(policy, &limits)
		}
		s, err := New(Setup{Hub: h, Policy: policy, Limits: limits, Logger: slog.New(slog.DiscardHandler), Ended: func(wire.CloseCode) {}})
		if err != nil {
			t.Fatal(err)
		}
		h.Use(e, s.Listeners())
		done.Go(func() { _ = s.Run(ctx) })
		servers = append(servers, s)
	}
	web := httptest.NewServer(upgrade(servers[0], servers[0].Policy))
	t.Cleanup(func() {
		web.Close()
		cancel()
		done.Wait()
	})
	return &node{Server: servers[0], hub: a, web: web}, servers[1]
}

// travel sends parked sessions through JSON and their sockets through a copy,
// as between processes.
func travel(t *testing.T, parked []Parked) []Parked {
	t.Helper()
	text, err := json.Marshal(parked)
	if err != nil {
		t.Fatal(err)
	}
	var arrived []Parked
	if err := json.Unmarshal(text, &arrived); err != nil {
		t.Fatal(err)
	}
	for i := range arrived {
		fd, err := unix.FcntlInt(uintptr(parked[i].FD), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		arrived[i].FD = int32(fd)
	}
	return arrived
}

// TestPark_SessionsGoOnElsewhereWithoutAHole moves sessions to and fro under
// load, some of them only parked and returned, while their clients send
// frames in pieces and read what comes.
func TestPark_SessionsGoOnElsewhereWithoutAHole(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	first, second := pair(t, nil)
	const clients, messages = 20, 1500
	var seen atomic.Int64
	var readers sync.WaitGroup
	failed := make(chan string, clients)
	var conns []*websocket.Conn
	for i := range clients {
		options := &websocket.DialOptions{CompressionMode: websocket.CompressionMode(i % 2)}
		c := first.dial(t, "?channels=news", options)
		read(t, c)
		conns = append(conns, c)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for i, c := range conns {
		readers.Go(func() {
			for next := 0; next < messages; {
				_, p, err := c.Read(ctx)
				var f frame
				if err == nil {
					err = json.Unmarshal(p, &f)
				}
				if err != nil {
					failed <- fmt.Sprintf("client %d at %d: %v %q", i, next, err, p)
					return
				}
				if f.Type == "pong" {
					seen.Add(1)
					continue
				}
				var got int
				if _, err := fmt.Sscanf(string(f.Data), `"%d`, &got); f.Type != "message" || err != nil || got != next {
					failed <- fmt.Sprintf("client %d: %.200s where %d was due", i, p, next)
					return
				}
				next++
			}
		})
	}
	var publisher sync.WaitGroup
	publisher.Go(func() {
		for i := range messages {
			first.publish(t, "news", fmt.Sprintf(`"%d%s"`, i, strings.Repeat(" ", i%300)))
		}
	})
	var asked int64
	at := [2]*Server{first.Server, second}
	for round := range 80 {
		from, to := at[round%2], at[1-round%2]
		c := conns[rng.IntN(clients)]
		w, err := c.Writer(ctx, websocket.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write([]byte(`{"type":"pi` + strings.Repeat(" ", 0)))
		parked := from.Park(ctx, 1+rng.IntN(clients))
		if rng.IntN(4) == 0 {
			from.Return(parked)
		} else {
			to.Adopt(travel(t, parked))
			from.Depart(parked)
		}
		_, _ = w.Write([]byte(`ng"}`))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		asked++
		select {
		case text := <-failed:
			t.Fatal(text)
		default:
		}
	}
	publisher.Wait()
	readers.Wait()
	select {
	case text := <-failed:
		t.Fatal(text)
	default:
	}
	if first.Open()+second.Open() != clients {
		t.Errorf("%d and %d sessions are open, %d in all came", first.Open(), second.Open(), clients)
	}
	if seen.Load() > asked {
		t.Errorf("%d pongs for %d pings", seen.Load(), asked)
	}
}

// TestPark_TakesHalfAFrameAlong sends a frame in two pieces, of which the
// second comes when the session is elsewhere.
func TestPark_TakesHalfAFrameAlong(t *testing.T) {
	first, second := pair(t, nil)
	frame := ws.AppendMasked(nil, ws.Text, [4]byte{1, 2, 3, 4}, []byte(`{"type":"ping","request":"half"}`))
	for cut := range frame {
		nc, err := net.Dial("tcp", first.web.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(nc)
		_, _ = io.WriteString(nc, "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n\r\n")
		if _, err := http.ReadResponse(in, nil); err != nil {
			t.Fatal(err)
		}
		heard := func(want string) {
			t.Helper()
			head := make([]byte, 2)
			if _, err := io.ReadFull(in, head); err != nil {
				t.Fatal(err)
			}
			n := int64(head[1])
			if n == 126 {
				long := make([]byte, 2)
				_, _ = io.ReadFull(in, long)
				n = int64(binary.BigEndian.Uint16(long))
			}
			text, err := io.ReadAll(io.LimitReader(in, n))
			if err != nil || !strings.Contains(string(text), want) {
				t.Fatalf("cut at %d: %q, want %q", cut, text, want)
			}
		}
		heard("welcome")
		_, _ = nc.Write(frame[:cut])
		var parked []Parked
		for len(parked) == 0 || len(parked[0].State.Input) == 0 && cut > 0 { // until the piece has come
			first.Return(parked)
			parked = first.Park(t.Context(), 10)
		}
		second.Adopt(travel(t, parked))
		first.Depart(parked)
		_, _ = nc.Write(frame[cut:])
		heard(`{"type":"pong","request":"half"}`)
		_ = nc.Close()
	}
	if first.Open() != 0 {
		t.Errorf("%d sessions are left behind", first.Open())
	}
}

// TestPark_EventStreamsGoOnWithTheirPlaces moves a client of events.
func TestPark_EventStreamsGoOnWithTheirPlaces(t *testing.T) {
	first, second := pair(t, nil)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := Request{Address: netip.MustParseAddrPort(r.RemoteAddr), Wants: wanted([]string{"news"}, "")}
		if err := first.Events(w, r, req); err != nil {
			t.Error(err)
		}
	}))
	defer web.Close()
	req, _ := http.NewRequestWithContext(t.Context(), "GET", web.URL, nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	at := [2]*Server{first.Server, second}
	for i := range 20 {
		id := first.publish(t, "news", fmt.Sprint(i)).ID
		parked := at[i%2].Park(t.Context(), 10)
		if len(parked) != 1 || !parked[0].State.Events {
			t.Fatalf("parked %+v", parked)
		}
		at[1-i%2].Adopt(travel(t, parked))
		at[i%2].Depart(parked)
		said := ""
		for lines.Scan() && !strings.Contains(lines.Text(), `"type":"message"`) {
			if strings.HasPrefix(lines.Text(), "id: ") {
				said = lines.Text()
			}
		}
		if !strings.HasSuffix(lines.Text(), fmt.Sprintf(`"data":%d}`, i)) || !strings.HasSuffix(said, "news:"+id.String()) {
			t.Fatalf("%d: %q, %q, want the id %v", i, said, lines.Text(), id)
		}
	}
}

func TestPark_LeavesWhoWaitsForAnAnswer(t *testing.T) {
	release := make(chan struct{})
	first, _ := pair(t, func(p *session.Policy, _ *Limits) {
		p.Verify = func(context.Context, string) (*session.Grant, error) {
			<-release
			return &session.Grant{User: "ann"}, nil
		}
	})
	c := first.dial(t, "?user=ann", nil)
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`{"type":"refresh","token":"x"}`)); err != nil {
		t.Fatal(err)
	}
	request(t, c, `{"type":"ping"}`) // the refresh is under way by now
	if parked := first.Park(t.Context(), 10); len(parked) != 0 {
		t.Errorf("parked %+v", parked)
	}
	close(release)
	if f := read(t, c); f.Type != "refreshed" {
		t.Fatalf("got %+v", f)
	}
	parked := first.Park(t.Context(), 10)
	if len(parked) != 1 || parked[0].State.Grant.User != "ann" {
		t.Errorf("parked %+v", parked)
	}
	first.Return(parked)
	if f := request(t, c, `{"type":"ping","request":2}`); f.Type != "pong" {
		t.Errorf("after its return: %+v", f)
	}
}
