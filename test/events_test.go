//go:build linux

package test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// quiet are the flags of a server that publishes nothing by itself and ends
// soon when it is told to.
func quiet(t *testing.T) []string {
	return []string{"--config", file(t, "holdfast.yaml", "schedules: []\n"), "--drain-limit", "2s"}
}

// finish ends the server and checks how the client sees it.
func (e *eventSource) finish(s *server) {
	e.t.Helper()
	s.signal(syscall.SIGTERM)
	s.log.wait(e.t, "drain started: 1 connection")
	s.publish("broadcast", `"while draining"`)
	var all []string
	h, ok := e.read()
	for ; ok && h.kind != "closed"; h, ok = e.read() {
		all = append(all, h.kind+" "+string(h.Data))
	}
	if !slices.Contains(all, `message "while draining"`) {
		e.t.Errorf("while draining: %v", all)
	}
	if !strings.Contains(h.data, `"code":1012,"reason":"restart retry=`+e.retry+`"`) {
		e.t.Errorf("the end was %+v, with retry %s", h, e.retry)
	}
	if h, ok := e.read(); ok {
		e.t.Errorf("behind the end: %+v", h)
	}
	if exit := s.wait(); exit != 0 {
		e.t.Errorf("exit code %d", exit)
	}
}

// visit takes a client of events through its life.
func (e *eventSource) visit(s *server) {
	e.t.Helper()
	e.expect("welcome", `"session"`)
	e.expect("subscribed", `"channel":"chat"`)
	for _, size := range []int{1, 300, 70_000, 600_000} {
		data := fmt.Sprintf("%q", strings.Repeat("grüße ", size/6+1))
		s.publish("chat", data)
		if h := e.expect("message", ""); string(h.Data) != data || !strings.HasSuffix(h.id, ",chat:"+h.ID) {
			e.t.Fatalf("a message of %d bytes came as %.200s with id %s", len(data), h.data, h.id)
		}
	}
	e.finish(s)
}

func TestEvents_AreServed(t *testing.T) {
	t.Parallel()
	t.Run("plain", func(t *testing.T) {
		t.Parallel()
		s := serve(t, quiet(t)...)
		s.listen("?channels=chat").visit(s)
	})
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run("TLS, "+protocol, func(t *testing.T) {
			t.Parallel()
			s := newAuthority(t).issue(t).serve(t, quiet(t)...)
			transport := s.web.Transport.(*http.Transport).Clone()
			transport.Protocols = new(http.Protocols)
			transport.Protocols.SetHTTP1(protocol == "HTTP/1.1")
			transport.Protocols.SetHTTP2(protocol == "HTTP/2.0")
			t.Cleanup(transport.CloseIdleConnections)
			e := listenTo(t, transport, "https://"+s.address+"/events?channels=chat")
			if e.answer.Proto != protocol {
				t.Errorf("answered by %s", e.answer.Proto)
			}
			e.visit(s)
		})
	}
}

// TestEvents_ComeBackToWhereTheyStopped has a client leave and come back with
// the id of any event, and change between the ways to connect.
func TestEvents_ComeBackToWhereTheyStopped(t *testing.T) {
	t.Parallel()
	s := serve(t, quiet(t)...)
	first := s.listen("?channels=a,b")
	first.expect("welcome", "")
	places := []string{first.id}
	first.expect("subscribed", "")
	first.expect("subscribed", "")
	const messages = 12
	for i := range messages {
		s.publish([]string{"a", "b", "broadcast"}[i%3], fmt.Sprint(i))
		places = append(places, first.expect("message", fmt.Sprintf(`"data":%d`, i)).id)
	}
	first.close()
	for missed, place := range places {
		e := s.listen("?channels=a,b&since=nonsense", "Last-Event-ID: "+place)
		e.expect("welcome", "")
		if e.id != place {
			t.Errorf("came back with %s and stands at %s", place, e.id)
		}
		seen := map[string]bool{}
		for range messages - missed {
			h, _ := e.read()
			for h.kind == "subscribed" {
				h, _ = e.read()
			}
			seen[string(h.Data)] = true
		}
		for i := missed; i < messages; i++ {
			if !seen[fmt.Sprint(i)] {
				t.Errorf("from %s: message %d did not come, but %v", place, i, seen)
			}
		}
		if e.id != places[messages] {
			t.Errorf("from %s it got to %s, not %s", place, e.id, places[messages])
		}
		e.close()
	}
	c := s.connect("?channels=a,b&since=" + places[messages-1])
	for range 3 {
		if f := c.read(); f.Type == "message" && string(f.Data) != fmt.Sprint(messages-1) {
			t.Errorf("over a WebSocket from the same place: %s", f.raw)
		}
	}
}

func TestEvents_AnOperatorEndsOneForGood(t *testing.T) {
	t.Parallel()
	s := serve(t, quiet(t)...)
	e := s.listen("")
	id := e.expect("welcome", "").Session
	if a := s.call("DELETE", "/v1/sessions/"+id, `{"confirm":true}`, "Content-Type: application/json"); a.status >= 300 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	e.expect("closed", `"code":4009`)
	if e.retry != "86400000" {
		t.Errorf("to come back after %s", e.retry)
	}
	if h, ok := e.read(); ok {
		t.Errorf("behind the end: %+v", h)
	}
}

func TestEvents_Curl(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		missing(t, "curl")
	}
	for _, flag := range []string{"--http1.1", "--http1.0"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			s := serve(t, quiet(t)...)
			var out logbook
			c := exec.Command("curl", "-NsS", flag, "http://"+s.address+"/events?channels=chat")
			pipe, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			followed := make(chan struct{})
			go func() {
				defer close(followed)
				out.follow(pipe)
			}()
			out.wait(t, `data: {"type":"subscribed","channel":"chat"`)
			s.publish("chat", `"hello"`)
			out.wait(t, `"data":"hello"}`)
			s.signal(syscall.SIGTERM)
			out.wait(t, "event: closed")
			<-followed
			if err := c.Wait(); err != nil {
				t.Errorf("curl: %v", err)
			}
			if exit := s.wait(); exit != 0 {
				t.Errorf("exit code %d", exit)
			}
		})
	}
}

func TestEvents_NodeFetch(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "node")
	}
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "TLS"}[secure], func(t *testing.T) {
			t.Parallel()
			s, env := (*server)(nil), os.Environ()
			if secure {
				s = newAuthority(t).issue(t).serve(t, quiet(t)...)
				env = append(env, "NODE_EXTRA_CA_CERTS="+s.authority(t))
			} else {
				s = serve(t, quiet(t)...)
			}
			c := exec.Command("node", script(t, "events.mjs"), s.scheme+"://"+s.address+"/events?channels=chat")
			c.Env = env
			st := newStranger(t, c)
			for _, want := range []string{"open", "welcome", "subscribed"} {
				if h := st.next(); h.Event != want {
					t.Fatalf("got %+v, want %s", h, want)
				}
			}
			data := fmt.Sprintf("%q", strings.Repeat("grüße ", 20_000))
			s.publish("chat", data)
			if h := st.next(); h.Event != "message" || !strings.HasSuffix(h.Text, `"data":`+data+"}") {
				t.Fatalf("got %.200v", h)
			}
			s.signal(syscall.SIGTERM)
			for h := st.next(); h.Event != "closed"; h = st.next() {
				if h.Event != "draining" && h.Event != "message" {
					t.Fatalf("got %+v", h)
				}
			}
			if h := st.next(); h.Event != "end" || h.Text != "" {
				t.Errorf("the end was %+v", h)
			}
		})
	}
}

// TestEvents_Chromium cuts a browser's connection again and again while
// messages are published: its EventSource must get each of them once.
func TestEvents_Chromium(t *testing.T) {
	t.Parallel()
	s := serve(t, quiet(t)...)
	way := newCutter(t, s.address)
	st := newBrowser(t, "events.html", "http://"+way.address+"/events?channels=chat")
	sent, got := 0, map[string]bool{}
	publish := func(n int) {
		for range n {
			s.publish([]string{"chat", "broadcast"}[sent%2], fmt.Sprintf(`{"n":%d}`, sent))
			sent++
		}
	}
	take := func(until func(happening) bool) {
		for {
			h := st.next()
			switch h.Event {
			case "gap":
				t.Fatalf("got %+v", h)
			case "message":
				n := h.Text[strings.LastIndex(h.Text, "{"):]
				if got[n] {
					t.Fatalf("twice: %+v", h)
				}
				got[n] = true
			}
			if until(h) {
				return
			}
		}
	}
	happens := func(what string) func(happening) bool {
		return func(h happening) bool { return h.Event == what }
	}
	take(happens("subscribed"))
	for range 2 {
		publish(10)
		take(func(happening) bool { return len(got) > sent-5 })
		publish(3)
		way.cut()
		publish(20)
		take(happens("error"))
		publish(10)
		take(happens("open"))
	}
	publish(1)
	take(func(happening) bool { return len(got) == sent })
}
