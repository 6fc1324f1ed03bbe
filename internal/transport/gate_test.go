package transport

import (
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

var (
	here  = netip.MustParseAddr("192.0.2.1")
	there = netip.MustParseAddr("192.0.2.2")
)

// TestGate_LetsNobodySlipPast stops admitting while many come and go, from
// few addresses and for few users.
func TestGate_LetsNobodySlipPast(t *testing.T) {
	for range 200 {
		var g Gate
		g.init(Limits{MaxSessions: 1 << 20, MaxConnectRate: 1 << 20, PerAddress: 8, PerUser: 8})
		var wg sync.WaitGroup
		stopped := make(chan struct{})
		for i := range 8 {
			address, user := []netip.Addr{here, there}[i%2], []string{"", "ann", "bob"}[i%3]
			wg.Go(func() {
				for g.enter(time.Now(), address, user) == nil {
					g.leave(address, user)
				}
				select {
				case <-stopped:
				default:
					<-stopped // refused a moment before StopAdmitting returned
				}
				if g.enter(time.Now(), address, user) == nil {
					t.Error("a session was let in after StopAdmitting")
				}
			})
		}
		open := g.StopAdmitting()
		if open < 0 || open > 8 {
			t.Errorf("%d open", open)
		}
		close(stopped)
		wg.Wait()
		<-g.Empty()
		if len(g.addresses)+len(g.users) != 0 {
			t.Errorf("all have left, and %v and %v are still counted", g.addresses, g.users)
		}
	}
}

// TestGate_HoldsItsBoundsAtEveryMoment has many come and go at once. What
// they see of each other is counted outside of the gate: after letting in,
// before letting go, so never more than the gate counts.
func TestGate_HoldsItsBoundsAtEveryMoment(t *testing.T) {
	const perAddress, perUser, all = 2, 1, 3
	var g Gate
	g.init(Limits{MaxSessions: all, MaxConnectRate: 1 << 30, PerAddress: perAddress, PerUser: perUser})
	var addresses, users [3]atomic.Int32
	var open atomic.Int32
	var wg sync.WaitGroup
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range 8 {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() {
			for range 50_000 {
				a, u := rng.IntN(3), rng.IntN(3)
				address, user := netip.AddrFrom4([4]byte{192, 0, 2, byte(a)}), []string{"", "ann", "bob"}[u]
				if g.enter(time.Now(), address, user) != nil {
					continue
				}
				if n := addresses[a].Add(1); n > perAddress {
					t.Errorf("%d sessions from one address", n)
				}
				if n := users[u].Add(1); u > 0 && n > perUser {
					t.Errorf("%d sessions of one user", n)
				}
				if n := open.Add(1); n > all {
					t.Errorf("%d sessions", n)
				}
				if rng.IntN(4) == 0 {
					runtime.Gosched()
				}
				addresses[a].Add(-1)
				users[u].Add(-1)
				open.Add(-1)
				g.leave(address, user)
			}
		})
	}
	wg.Wait()
	if g.open != 0 || len(g.addresses)+len(g.users) != 0 {
		t.Errorf("all have left; %d open, %v, %v", g.open, g.addresses, g.users)
	}
}

// step is one try to come in, or somebody who leaves.
type step struct {
	leave   bool
	after   time.Duration
	address string
	user    string
	code    wire.Code // "": let in
	flag    string    // that the refusal names
}

func (s step) run(t *testing.T, g *Gate, now time.Time) {
	t.Helper()
	address := netip.MustParseAddr(s.address)
	if s.leave {
		g.leave(address, s.user)
		return
	}
	err := g.enter(now, address, s.user)
	switch {
	case err == nil && s.code == "":
	case err == nil || s.code == "":
		t.Errorf("%+v: %v", s, err)
	case err.Code != s.code || !strings.Contains(err.Message, s.flag):
		t.Errorf("%+v: refused as %s with %q", s, err.Code, err)
	}
}

func TestGate_RefusesWhatIsOverItsBounds(t *testing.T) {
	const four, other, six = "192.0.2.1", "192.0.2.2", "2001:db8:1:2::"
	for name, c := range map[string]struct {
		limits Limits
		steps  []step
		want   Refusals
	}{
		"rate and all": {Limits{MaxSessions: 3, MaxConnectRate: 2}, []step{
			{address: four}, {address: four},
			{address: four, code: wire.Full, flag: "--max-connect-rate"},
			{address: four, after: time.Second},
			{address: four, code: wire.Full, flag: "--max-sessions)"},
			{address: four, leave: true},
			{address: four},
		}, Refusals{Sessions: 1, ConnectRate: 1}},
		"address": {Limits{PerAddress: 2}, []step{
			{address: four}, {address: four, user: "ann"},
			{address: four, code: wire.TooManyRequests, flag: "--max-sessions-per-address"},
			{address: "::ffff:" + four, code: wire.TooManyRequests, flag: "--max-sessions-per-address"},
			{address: other},
			{address: four, leave: true},
			{address: "::ffff:" + four},
			{address: four, code: wire.TooManyRequests, flag: "--max-sessions-per-address"},
		}, Refusals{PerAddress: 3}},
		"network": {Limits{PerAddress: 2}, []step{
			{address: six + "1"}, {address: six + "ffff"},
			{address: six + "2", code: wire.TooManyRequests, flag: "--max-sessions-per-address"},
			{address: "2001:db8:1:3::1"},
			{address: six + "ffff", leave: true},
			{address: six + "2"},
			{address: "fe80::1%a"}, {address: "fe80::1%b"},
			{address: "fe80::2", code: wire.TooManyRequests, flag: "--max-sessions-per-address"},
		}, Refusals{PerAddress: 2}},
		"user": {Limits{PerUser: 2}, []step{
			{address: four, user: "ann"}, {address: other, user: "ann"},
			{address: six, user: "ann", code: wire.TooManyRequests, flag: "--max-sessions-per-user"},
			{address: six, user: "bob"},
			{address: four}, {address: four}, {address: four},
			{address: four, user: "ann", leave: true},
			{address: six, user: "ann"},
			{address: six, user: "ann", code: wire.TooManyRequests, flag: "--max-sessions-per-user"},
		}, Refusals{PerUser: 2}},
		"a full server tells who holds too many of it": {Limits{MaxSessions: 1, PerAddress: 1}, []step{
			{address: four},
			{address: four, code: wire.TooManyRequests, flag: "--max-sessions-per-address"},
			{address: other, code: wire.Full, flag: "--max-sessions"},
		}, Refusals{PerAddress: 1, Sessions: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.limits.MaxSessions == 0 {
				c.limits.MaxSessions = 100
			}
			if c.limits.MaxConnectRate == 0 {
				c.limits.MaxConnectRate = 100
			}
			var g Gate
			g.init(c.limits)
			now := time.Unix(100, 0)
			for _, s := range c.steps {
				now = now.Add(s.after)
				s.run(t, &g, now)
			}
			if got := g.Refusals(); got != c.want {
				t.Errorf("counted %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestGate_KeepsNothingForASessionWithoutABound(t *testing.T) {
	var g Gate
	g.init(Limits{MaxSessions: 10, MaxConnectRate: 1 << 30})
	address := netip.MustParseAddr("2001:db8::1%eth0")
	now := time.Unix(100, 0)
	if allocs := testing.AllocsPerRun(100, func() {
		if g.enter(now, address, "ann") == nil {
			g.leave(address, "ann")
		}
	}); allocs > 0 {
		t.Errorf("%v allocations a session", allocs)
	}
	if g.addresses != nil || g.users != nil {
		t.Error("addresses or users are counted without a bound")
	}
}

func TestServer_HoldsSessionsToTheBoundOfTheirAddressAndUser(t *testing.T) {
	carriers(t, func(t *testing.T, secure bool) {
		n := start(t, secure, func(_ *session.Policy, l *Limits) { l.PerAddress, l.PerUser = 3, 2 })
		refused := func(query, flag string) {
			t.Helper()
			_, resp, err := websocket.Dial(t.Context(), strings.Replace(n.web.URL, "http", "ws", 1)+query, &websocket.DialOptions{HTTPClient: n.web.Client()})
			if err == nil || resp.StatusCode != http.StatusTooManyRequests {
				t.Fatalf("%s: %v", query, err)
			}
			if body, _ := io.ReadAll(resp.Body); !strings.Contains(string(body), flag) {
				t.Errorf("%s: %s", query, body)
			}
		}
		n.dial(t, "?user=ann", nil)
		c := n.dial(t, "?user=ann", nil)
		refused("?user=ann", "--max-sessions-per-user")
		n.dial(t, "?user=bob", nil)
		refused("?user=eve", "--max-sessions-per-address")
		loopback := netip.MustParseAddr("127.0.0.1")
		if err := n.Refusal(loopback, "eve"); err == nil || err.Code != wire.TooManyRequests {
			t.Errorf("what a plain GET would be told: %v", err)
		}
		if err := n.Refusal(there, "ann"); err == nil || !strings.Contains(err.Message, "--max-sessions-per-user") {
			t.Errorf("what a plain GET from elsewhere would be told: %v", err)
		}
		if got, want := n.Refusals(), (Refusals{PerAddress: 1, PerUser: 1}); got != want {
			t.Errorf("counted %+v, want %+v: who only asks is not refused", got, want)
		}
		_ = c.Close(websocket.StatusNormalClosure, "")
		for n.Open() == 3 {
			runtime.Gosched()
		}
		n.dial(t, "?user=ann", nil)
	})
}

func TestServer_LeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("serve", func(t *testing.T) {
		carriers(t, func(t *testing.T, secure bool) {
			n := start(t, secure, nil)
			for range 20 {
				c := n.dial(t, "?channels=a", nil)
				_ = c.Write(t.Context(), websocket.MessageText, []byte(`{"type":"ping"}`))
			}
		})
	})
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if now := runtime.NumGoroutine(); now > before {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after:\n%s", before, now, buf[:runtime.Stack(buf, true)])
	}
}
