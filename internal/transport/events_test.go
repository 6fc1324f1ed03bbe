package transport

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// eventSource is a client of events over HTTP.
type eventSource struct {
	parser
	t    testing.TB
	body io.ReadCloser
	stop context.CancelFunc
}

// eventsWays runs a test over each way that events can take.
func eventsWays(t *testing.T, f func(t *testing.T, way string)) {
	for _, way := range []string{"plain", "TLS", "HTTP/2"} {
		t.Run(way, func(t *testing.T) { f(t, way) })
	}
}

// answerTime is what an answer of net/http may take.
const answerTime = 2 * tickLength

// eventsWeb serves the events of a node.
type eventsWeb struct {
	*httptest.Server
	over chan struct{} // gets one when a request is no longer being answered by net/http
}

func (n *node) eventsServer(t testing.TB, way string) *eventsWeb {
	over := make(chan struct{}, 100)
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { over <- struct{}{} }()
		req := Request{Address: netip.MustParseAddrPort(r.RemoteAddr)}
		for name := range strings.SplitSeq(r.URL.Query().Get("channels"), ",") {
			if name != "" {
				req.Wants = append(req.Wants, wire.Wanted{Channel: name})
			}
		}
		w.Header().Set("Content-Type", "text/event-stream")
		if err := n.Events(w, r, req); err != nil {
			http.Error(w, err.Error(), err.Code.Status())
		}
	}))
	web.EnableHTTP2 = way == "HTTP/2"
	web.Config.WriteTimeout = answerTime
	if way == "plain" {
		web.Start()
	} else {
		web.StartTLS()
	}
	t.Cleanup(web.Close)
	return &eventsWeb{web, over}
}

// source connects and reads the welcome.
func source(t testing.TB, web *eventsWeb, query string) *eventSource {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, web.URL+"/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := web.Client().Do(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", resp, err)
	}
	s := &eventSource{t: t, body: resp.Body, stop: stop}
	t.Cleanup(s.close)
	if e, _ := s.next(); e.kind != "welcome" || s.retry == "" {
		t.Fatalf("first event %+v, retry %q", e, s.retry)
	}
	return s
}

func (s *eventSource) close() {
	s.stop()
	_ = s.body.Close()
}

// next returns the next event; ok is false at the end.
func (s *eventSource) next() (e told, ok bool) {
	s.t.Helper()
	deadline := time.AfterFunc(20*time.Second, s.stop)
	defer deadline.Stop()
	buf := make([]byte, 4096)
	for len(s.events) == 0 {
		n, err := s.body.Read(buf)
		if s.feed(buf[:n]); n == 0 && err != nil {
			if err != io.EOF {
				s.t.Fatal(err)
			}
			return told{}, false
		}
	}
	e = s.events[0]
	s.events = s.events[1:]
	return e, true
}

func TestEvents_AreServedEachWay(t *testing.T) {
	eventsWays(t, func(t *testing.T, way string) {
		n := start(t, false, nil)
		web := n.eventsServer(t, way)
		s := source(t, web, "?channels=news")
		if e, _ := s.next(); e.kind != "subscribed" {
			t.Fatalf("got %+v", e)
		}
		for i, size := range []int{1, 3000, 300_000, 1} {
			r := n.publish(t, "news", fmt.Sprintf("%q", strings.Repeat("x", size)))
			e, _ := s.next()
			var f frame
			if err := json.Unmarshal([]byte(e.data), &f); err != nil || e.kind != "message" || f.ID != r.ID.String() || len(f.Data) != size+2 {
				t.Fatalf("message %d: %.200v: %v", i, e, err)
			}
			if !strings.HasSuffix(e.id, ",news:"+f.ID) {
				t.Errorf("message %d: id %s", i, e.id)
			}
		}
		if all := n.Sessions(t.Context(), session.Filter{Channel: "news"}); len(all) != 1 || all[0].Transport != "sse" {
			t.Errorf("sessions %+v", all)
		}
		if n.Totals().AcceptedEvents != 1 {
			t.Errorf("%+v", n.Totals())
		}
		n.StopAdmitting()
		n.publish(t, "news", `"last"`)
		n.CloseSome(1)
		if e, _ := s.next(); !strings.Contains(e.data, `"last"`) {
			t.Errorf("got %+v", e)
		}
		if e, _ := s.next(); e.kind != "closed" || !strings.Contains(e.data, `"code":1012,"reason":"restart retry=`+s.retry+`"`) {
			t.Errorf("the end was %+v with retry %s", e, s.retry)
		}
		if e, ok := s.next(); ok {
			t.Errorf("behind the end: %+v", e)
		}
		s.close()
		<-n.Empty()
	})
}

func TestEvents_AClientThatGoesIsNoticedEachWay(t *testing.T) {
	eventsWays(t, func(t *testing.T, way string) {
		n := start(t, false, nil)
		web := n.eventsServer(t, way)
		for range 10 {
			source(t, web, "").close()
		}
		n.StopAdmitting()
		<-n.Empty()
	})
}

// TestEvents_AStalledReaderIsGivenUpEachWay has a client that reads nothing:
// it is closed at its lag, cannot be told, and holds nobody up.
func TestEvents_AStalledReaderIsGivenUpEachWay(t *testing.T) {
	eventsWays(t, func(t *testing.T, way string) {
		n := start(t, false, func(_ *session.Policy, l *Limits) { l.MaxLag = 64 << 10 })
		web := n.eventsServer(t, way)
		web.Client().Transport.(*http.Transport).HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10}
		source(t, web, "")
		data := fmt.Sprintf("%q", strings.Repeat("x", 200<<10))
		for len(n.Sessions(t.Context(), session.Filter{})) == 1 {
			n.publish(t, "broadcast", data)
		}
		n.StopAdmitting()
		patience := time.After(20 * time.Second)
		for _, end := range []<-chan struct{}{n.Empty(), web.over} {
			select {
			case <-end:
			case <-patience:
				t.Fatal("the client keeps its place, or what carried it goes on")
			}
		}
	})
}

func TestEvents_AreRefusedAtTheGate(t *testing.T) {
	eventsWays(t, func(t *testing.T, way string) {
		n := start(t, false, func(_ *session.Policy, l *Limits) { l.MaxSessions = 1 })
		web := n.eventsServer(t, way)
		first := source(t, web, "")
		resp, err := web.Client().Get(web.URL + "/events")
		if err != nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("%v %v", resp, err)
		}
		_ = resp.Body.Close()
		n.publish(t, "broadcast", "1")
		if e, _ := first.next(); e.kind != "message" {
			t.Errorf("the one that was let in got %+v", e)
		}
	})
}

// TestEvents_GoOnForLongerThanAnAnswerMayTake outlasts the time that the HTTP
// server gives to answers.
func TestEvents_GoOnForLongerThanAnAnswerMayTake(t *testing.T) {
	eventsWays(t, func(t *testing.T, way string) {
		n := start(t, false, func(p *session.Policy, _ *Limits) { p.Heartbeat = tickLength })
		web := n.eventsServer(t, way)
		s := source(t, web, "")
		for buf := make([]byte, 4096); s.beats < 5; { // more than answerTime
			n, err := s.body.Read(buf)
			if s.feed(buf[:n]); err != nil {
				t.Fatalf("after %d heartbeats: %v", s.beats, err)
			}
		}
	})
}
