package transport

import (
	"bytes"
	"net/http"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// Events answers a request with an event stream (text/event-stream, HTML
// Living Standard, section 9.2) and puts its client on a loop. The headers of
// w are those of the answer. Where it returns an error nothing was written:
// the refusal is the caller's to answer.
//
// Over HTTP/1 the connection is taken over from net/http and the body ends
// with it, so that the loop may write what it has, without chunks around it.
// Over HTTP/2 the call returns when the stream is over.
func (s *Server) Events(w http.ResponseWriter, r *http.Request, req Request) *wire.Error {
	a, err := s.enter(req)
	if err != nil {
		return err
	}
	a.events = true
	if r.ProtoMajor > 1 {
		s.respond(w, r, a)
		return nil
	}
	nc, err := s.takeOver(w, a)
	if err != nil {
		return err
	}
	a.response = eventsHead(w.Header(), time.Now())
	giveUpAfter(nc, 2*s.Policy.Heartbeat)
	s.carry(nc, a)
	return nil
}

// eventsHead returns the head of an answer whose body ends with its
// connection (RFC 9112, section 6.3, rule 8).
func eventsHead(h http.Header, now time.Time) []byte {
	var head bytes.Buffer
	head.WriteString("HTTP/1.1 200 OK\r\nDate: ")
	head.WriteString(now.UTC().Format(http.TimeFormat))
	head.WriteString("\r\nConnection: close\r\n")
	_ = h.WriteSubset(&head, map[string]bool{"Connection": true, "Content-Length": true, "Transfer-Encoding": true})
	head.WriteString("\r\n")
	return head.Bytes()
}

// respond serves an arrival by the answer to its request, as an HTTP/2 stream
// is, until its session is over.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, a *arrival) {
	l := s.next()
	b := newBody(w, r)
	a.stream = newStream(b, l)
	l.do(func() { l.admit(a) })
	b.wait(l.done)
}
