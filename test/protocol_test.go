//go:build linux

package test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"testing"

	"github.com/coder/websocket"
)

func TestProtocol_FromWelcomeToClose(t *testing.T) {
	t.Parallel()
	s := serve(t, "--client-publish", "chat-*")
	c := s.connect("?channels=news")
	if f := c.read(); f.Type != "subscribed" || f.Channel != "news" || f.ID == "" {
		t.Fatalf("subscribe by query: %s", f.raw)
	}
	if f := c.ask(`{"type":"subscribe","channel":"chat-1","request":"r1"}`); f.Type != "subscribed" || f.Channel != "chat-1" || string(f.Request) != `"r1"` {
		t.Errorf("subscribe: %s", f.raw)
	}
	if f := c.ask(`{"type":"subscribe","channels":[{"channel":"chat-1"},{"channel":"chat-2"}],"request":2}`); f.Channel != "chat-1" || c.read().Channel != "chat-2" {
		t.Errorf("subscribe to several: %s", f.raw)
	}

	a := s.call("POST", "/v1/channels/news/messages?event=tick", ` { "a" : [1, 2] } `)
	var receipt struct {
		Channel, ID, Time string
		Subscribers       int
	}
	if err := json.Unmarshal([]byte(a.body), &receipt); err != nil || a.status != http.StatusOK || receipt.Channel != "news" || receipt.Subscribers != 1 {
		t.Errorf("publish: %d %s", a.status, a.body)
	}
	f := c.expect("news", `{"a":[1,2]}`)
	if f.Event != "tick" || f.ID != receipt.ID || f.Time != receipt.Time || !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`).MatchString(f.Time) {
		t.Errorf("message: %s, receipt: %s", f.raw, a.body)
	}
	s.call("POST", "/v1/channels/broadcast/messages", "line one\nline \"two\"", "Content-Type: text/plain")
	c.expect("broadcast", `"line one\nline \"two\""`)
	s.call("POST", "/v1/channels/news/messages", `{"text":"as curl -d sends it"}`, "Content-Type: application/x-www-form-urlencoded")
	c.expect("news", `{"text":"as curl -d sends it"}`)

	// The message may come before its acknowledgement, or behind it.
	c.send(`{"type":"publish","channel":"chat-1","data":"hi","request":3}`)
	first, second := c.read(), c.read()
	if first.Type == "message" {
		first, second = second, first
	}
	if first.Type != "published" || second.Type != "message" || first.ID != second.ID || string(first.Request) != "3" || string(second.Data) != `"hi"` {
		t.Errorf("publish by a client: %s and %s", first.raw, second.raw)
	}
	if f := c.ask(`{"type":"ping","request":4}`); f.Type != "pong" || string(f.Request) != "4" {
		t.Errorf("ping: %s", f.raw)
	}
	if f := c.ask(`{"type":"unsubscribe","channel":"news","request":5}`); f.Type != "unsubscribed" || f.Channel != "news" {
		t.Errorf("unsubscribe: %s", f.raw)
	}
	s.publish("news", "1")
	if f := c.ask(`{"type":"ping"}`); f.Type != "pong" {
		t.Errorf("after unsubscribe: %s", f.raw)
	}
	if err := c.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestProtocol_BadFramesAreAnswered(t *testing.T) {
	t.Parallel()
	s := serve(t)
	c := s.connect("")
	for text, code := range map[string]string{
		`{"type":"subscribe","channel":"a b","request":1}`:                                   "bad_channel",
		`{"type":"subscribe","channel":"user:ann","request":1}`:                              "forbidden",
		`{"type":"publish","channel":"news","data":1,"request":1}`:                           "forbidden",
		`{"type":"unsubscribe","channel":"never","request":1}`:                               "not_found",
		`{"type":"dance","request":1}`:                                                       "unknown_type",
		`{"request":1}`:                                                                      "bad_request",
		`{"type":"ping","request":1`:                                                         "bad_json",
		`nonsense`:                                                                           "bad_json",
		`{"type":"publish","channel":"x","channel":"y","data":1,"request":1}`:                "bad_request",
		`{"Type":"ping","request":1}`:                                                        "bad_request",
		`{"type":"subscribe","channels":"not a list","request":1}`:                           "bad_request",
		`{"type":"subscribe","channel":"x","channels":[{"channel":"y"}],"request":"either"}`: "bad_request",
	} {
		if f := c.ask(text); f.Type != "error" || f.Code != code || f.Message == "" {
			t.Errorf("%s: got %s, want an error %s", text, f.raw, code)
		}
	}
	if f := c.ask(`{"type":"ping","unknown":[],"request":1}`); f.Type != "pong" {
		t.Errorf("the session is no longer served: %s", f.raw)
	}
}

func TestProtocol_CloseCodes(t *testing.T) {
	t.Parallel()
	s := serve(t)
	c := s.connect("")
	_ = c.conn.Write(t.Context(), websocket.MessageBinary, []byte("x"))
	if code, reason := c.closed(); code != 1003 {
		t.Errorf("binary: %d %s", code, reason)
	}
	c = s.connect("")
	_ = c.conn.Write(t.Context(), websocket.MessageText, make([]byte, 65<<10))
	if code, reason := c.closed(); code != 1009 {
		t.Errorf("too big: %d %s", code, reason)
	}
	c = s.connect("")
	_ = c.conn.Write(t.Context(), websocket.MessageText, []byte("\xff"))
	if code, reason := c.closed(); code != 1007 {
		t.Errorf("no text: %d %s", code, reason)
	}
	c = s.connect("")
	for range 1000 {
		if c.conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"ping"}`)) != nil {
			break
		}
	}
	if code, reason := c.closed(); code != 1008 {
		t.Errorf("flood: %d %s", code, reason)
	}
	c = s.connect("")
	var list struct{ Sessions []struct{ Session string } }
	if err := json.Unmarshal([]byte(s.call("GET", "/v1/sessions", "").body), &list); err != nil || len(list.Sessions) != 1 {
		t.Fatalf("sessions: %v, %v", list, err)
	}
	if a := s.call("DELETE", "/v1/sessions/"+list.Sessions[0].Session, ""); a.status != http.StatusOK {
		t.Errorf("disconnect: %d %s", a.status, a.body)
	}
	if code, reason := c.closed(); code != 4009 {
		t.Errorf("disconnected: %d %s", code, reason)
	}
}

func TestProtocol_ManyAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	c := s.connect("?channels=a")
	c.read()
	if a := s.call("POST", "/v1/messages", `[{"channel":"a","data":1},{"channel":"a b","data":2}]`); a.status != http.StatusOK {
		t.Errorf("array: %d %s", a.status, a.body)
	}
	c.expect("a", "1")
	lines := "{\"channel\":\"a\",\"data\":3}\n{\"channel\":\"a\",\"data\":4}\nnonsense\n"
	if a := s.call("POST", "/v1/messages", lines, "Content-Type: application/x-ndjson"); a.status != http.StatusOK || len(regexp.MustCompile(`(?m)^\{`).FindAllString(a.body, -1)) != 3 {
		t.Errorf("lines: %d %s", a.status, a.body)
	}
	c.expect("a", "3")
	c.expect("a", "4")
}
