//go:build linux

package test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// eventSource is a client of events in this process. It reads as the HTML
// Living Standard says in section 9.2.6, but for lines that end with CR.
type eventSource struct {
	t      *testing.T
	lines  *bufio.Scanner
	stop   context.CancelFunc
	answer *http.Response

	retry string // the last one
	id    string // of the last event that was whole
}

// happened is one event, with what its data says.
type happened struct {
	kind, id, data string
	frame
}

// listen opens an event stream. Headers come as "Name: value".
func (s *server) listen(query string, headers ...string) *eventSource {
	s.t.Helper()
	return listenTo(s.t, s.web.Transport, s.scheme+"://"+s.address+"/events"+query, headers...)
}

func listenTo(t *testing.T, transport http.RoundTripper, url string, headers ...string) *eventSource {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
		text, _ := io.ReadAll(answer.Body)
		t.Fatalf("%d %v %s", answer.StatusCode, answer.Header, text)
	}
	e := &eventSource{t: t, lines: bufio.NewScanner(answer.Body), stop: stop, answer: answer}
	e.lines.Buffer(nil, 4<<20)
	t.Cleanup(e.close)
	return e
}

func (e *eventSource) close() {
	e.stop()
	_ = e.answer.Body.Close()
}

// read returns the next event; ok is false at the end of the stream.
func (e *eventSource) read() (h happened, ok bool) {
	e.t.Helper()
	deadline := time.AfterFunc(patience, e.stop)
	defer deadline.Stop()
	newID := e.id
	for e.lines.Scan() {
		line := e.lines.Text()
		field, value, _ := strings.Cut(line, ": ")
		switch field {
		case "event":
			h.kind = value
		case "data":
			h.data += value
		case "id":
			newID = value
		case "retry":
			e.retry = value
		case "":
			if e.id = newID; h.data == "" {
				continue
			}
			h.id = e.id
			if h.kind == "closed" { // its code is a number
				return h, true
			}
			if err := json.Unmarshal([]byte(h.data), &h.frame); err != nil {
				e.t.Fatalf("%+v: %v", h, err)
			}
			return h, true
		}
	}
	if err := e.lines.Err(); err != nil {
		e.t.Fatalf("the stream did not end in order: %v", err)
	}
	return happened{}, false
}

// expect reads an event and checks its type and data.
func (e *eventSource) expect(kind, part string) happened {
	e.t.Helper()
	h, ok := e.read()
	if !ok || h.kind != kind || !strings.Contains(h.data, part) {
		e.t.Fatalf("got %+v, want %s with %s", h, kind, part)
	}
	return h
}
