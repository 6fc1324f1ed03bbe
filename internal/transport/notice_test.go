package transport

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

// bare returns a server that does not run.
func bare(t *testing.T) *Server {
	t.Helper()
	h := hub.New()
	s, err := New(Setup{
		Hub: h, Policy: newPolicy(h), Limits: Limits{MaxSessions: 1000, MaxConnectRate: 1000, MaxLag: 1 << 20},
		Logger: slog.New(slog.DiscardHandler), Ended: func(wire.CloseCode) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Use(memory.New(h), s.Listeners())
	return s
}

// numbered announces a frame with a number for each session.
func numbered(word string, move time.Duration) Announcement {
	var n atomic.Int64
	return func(dst []byte, _ time.Time) ([]byte, time.Duration) {
		return fmt.Appendf(dst, `{"type":"draining","reason":"%s","id":"%d"}`, word, n.Add(1)), move
	}
}

// hears fails the test unless the next frame is the announcement; it returns
// its number.
func hears(t *testing.T, c *websocket.Conn, word string) string {
	t.Helper()
	f := read(t, c)
	if f.Type != "draining" || f.Reason != word {
		t.Errorf("got %+v, want to be told %q", f, word)
	}
	return f.ID
}

// TestAnnounce_TellsEachSessionOnce has more sessions than are told at once,
// and newcomers all the while.
func TestAnnounce_TellsEachSessionOnce(t *testing.T) {
	carriers(t, func(t *testing.T, secure bool) {
		n := start(t, secure, nil)
		sessions := 3 * tellAtOnce * len(n.loops)
		if secure {
			sessions = 20
		}
		var clients []*websocket.Conn
		for range sessions {
			clients = append(clients, n.dial(t, "", nil))
		}
		n.Announce(numbered("first", -1), true)
		var coming sync.WaitGroup
		for range 4 {
			coming.Go(func() {
				c := n.dial(t, "", nil)
				hears(t, c, "first")
				n.publish(t, "broadcast", `"then"`)
			})
		}
		coming.Wait()
		numbers := make(map[string]bool)
		for _, c := range clients {
			numbers[hears(t, c, "first")] = true
			for range 4 { // and nothing but messages behind it
				if f := read(t, c); f.Type != "message" {
					t.Errorf("got %+v", f)
				}
			}
		}
		if len(numbers) != len(clients) {
			t.Errorf("%d sessions were told by %d frames", len(clients), len(numbers))
		}
		n.Announce(numbered("second", -1), false)
		for _, c := range clients {
			hears(t, c, "second")
		}
		late := n.dial(t, "", nil)
		n.publish(t, "broadcast", `"late"`)
		if f := read(t, late); string(f.Data) != `"late"` {
			t.Errorf("a newcomer got %+v, want nothing of what is over", f)
		}
		if told := n.Totals().Told; told != uint64(2*len(clients)+8) {
			t.Errorf("counted %d notices to %d sessions and four newcomers, twice", told, len(clients))
		}
	})
}

// TestAnnounce_ALaterOneTakesOver makes several at once: all that counts is
// the last one.
func TestAnnounce_ALaterOneTakesOver(t *testing.T) {
	n := start(t, false, nil)
	var clients []*websocket.Conn
	for range 2 * tellAtOnce * len(n.loops) {
		clients = append(clients, n.dial(t, "", nil))
	}
	for i := range 5 {
		n.Announce(numbered(fmt.Sprint(i), -1), true)
	}
	for _, c := range clients {
		for last := ""; last != "4"; {
			f := read(t, c)
			if f.Type != "draining" || f.Reason <= last {
				t.Fatalf("got %+v after %q", f, last)
			}
			last = f.Reason
		}
	}
}

// TestAnnounce_HoldsNoLoopUp counts how many sessions a loop tells in one
// round: its clock stands still in each.
func TestAnnounce_HoldsNoLoopUp(t *testing.T) {
	n := start(t, false, nil)
	const sessions = 1000
	for range sessions {
		n.dial(t, "", nil)
	}
	told := make(chan time.Time, sessions)
	n.Announce(func(dst []byte, now time.Time) ([]byte, time.Duration) {
		told <- now
		return append(dst, "{}"...), -1
	}, false)
	rounds := make(map[time.Time]int)
	for range sessions {
		rounds[<-told]++
	}
	for _, count := range rounds {
		if count > 200 { // a few milliseconds
			t.Errorf("a loop told %d sessions in one round", count)
		}
	}
}

// eventStream connects to a server's event stream and returns its lines.
func eventStream(t *testing.T, s *Server) (lines *bufio.Scanner, leave func()) {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		if err := s.Events(w, r, Request{Address: netip.MustParseAddrPort(r.RemoteAddr)}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(web.Close)
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, web.URL, nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return bufio.NewScanner(resp.Body), cancel
}

// skipTo reads lines to the first that matches.
func skipTo(t *testing.T, lines *bufio.Scanner, pattern string) {
	t.Helper()
	var seen []string
	for lines.Scan() {
		if seen = append(seen, lines.Text()); regexp.MustCompile(pattern).MatchString(lines.Text()) {
			return
		}
	}
	t.Fatalf("no line %s in\n%s", pattern, strings.Join(seen, "\n"))
}

func TestAnnounce_PacesEventStreams(t *testing.T) {
	n := start(t, false, nil)
	lines, leave := eventStream(t, n.Server)
	skipTo(t, lines, `^data: \{"type":"welcome"`)
	n.Announce(numbered("go", 77*time.Second), true)
	skipTo(t, lines, `^event: draining$`)
	skipTo(t, lines, `^data: \{"type":"draining","reason":"go"`)
	skipTo(t, lines, `^retry: 77000$`)
	n.Announce(numbered("stay", -1), false)
	skipTo(t, lines, `^data: \{"type":"draining","reason":"stay"`)
	skipTo(t, lines, `^retry: [2-5]\d{3}$`) // as ever
	n.Announce(numbered("go", time.Minute), true)
	skipTo(t, lines, `^retry: 60000$`)
	leave()
	for n.Census().Moved != 1 {
		runtime.Gosched()
	}
}

func TestCensus_SaysWhoMovedAndWhoWasEnded(t *testing.T) {
	n := start(t, false, nil)
	var clients []*websocket.Conn
	for range 6 {
		clients = append(clients, n.dial(t, "", nil))
	}
	_ = clients[0].Close(websocket.StatusNormalClosure, "") // before anybody was invited
	n.Announce(numbered("go", time.Minute), true)
	for _, c := range clients[1:] {
		hears(t, c, "go")
	}
	_ = clients[1].Close(websocket.StatusNormalClosure, "")
	_ = clients[2].CloseNow() // lost
	for n.Open() != 3 {
		runtime.Gosched()
	}
	n.StopAdmitting()
	n.CloseSome(2)
	ended := make(chan error)
	for _, c := range clients[3:] {
		go func() {
			_, _, err := c.Read(t.Context())
			ended <- err
		}()
	}
	for range 2 {
		if err := <-ended; websocket.CloseStatus(err) != 1012 {
			t.Error(err)
		}
	}
	if c := n.Census(); !c.Refusing || c.Admitted != 6 || c.Restarts != 2 || c.Moved != 1 || c.Staying != 1 {
		t.Errorf("%+v", c)
	}
	n.CloseSome(1)
	<-ended
}

func TestGate_LetsInAgain(t *testing.T) {
	s := bare(t)
	s.StopAdmitting()
	first := s.Empty()
	<-first
	s.ResumeAdmitting()
	if s.Refusal(here, "") != nil {
		t.Error("refuses after ResumeAdmitting")
	}
	if err := s.gate.enter(time.Now(), here, ""); err != nil {
		t.Fatal(err)
	}
	s.StopAdmitting()
	second := s.Empty()
	select {
	case <-second:
		t.Error("empty with a session open")
	default:
	}
	s.gate.leave(here, "")
	<-second
	s.ResumeAdmitting()
	s.ResumeAdmitting() // once more: nothing changes
	for _, l := range s.loops {
		l.poller.close()
	}
}
