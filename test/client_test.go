//go:build linux

package test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// client is a WebSocket client in this process.
type client struct {
	t    *testing.T
	conn *websocket.Conn
}

// frame is any frame from the server.
type frame struct {
	Type, Channel, ID, Time, Event, Code, Message, Session, Node, Version string

	HeartbeatS float64 `json:"heartbeat_s"`
	Data       json.RawMessage
	Request    json.RawMessage

	raw string
}

// connect connects and takes the welcome.
func (s *server) connect(query string) *client {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	url := strings.Replace(s.scheme, "http", "ws", 1) + "://" + s.address + "/ws" + query
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: s.web.Transport}})
	if err != nil {
		s.t.Fatal(err)
	}
	conn.SetReadLimit(4 << 20)
	c := &client{t: s.t, conn: conn}
	s.t.Cleanup(func() { _ = conn.CloseNow() })
	if f := c.read(); f.Type != "welcome" || len(f.Session) != 16 || f.Version == "" || f.Node == "" || f.HeartbeatS == 0 {
		s.t.Fatalf("the first frame is %s", f.raw)
	}
	return c
}

// read returns the next frame.
func (c *client) read() frame {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	_, p, err := c.conn.Read(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	f := frame{raw: string(p)}
	if err := json.Unmarshal(p, &f); err != nil {
		c.t.Fatalf("%s: %v", p, err)
	}
	return f
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// ask sends a frame and returns the next one.
func (c *client) ask(text string) frame {
	c.t.Helper()
	c.send(text)
	return c.read()
}

// expect reads a message and checks channel and data.
func (c *client) expect(channel, data string) frame {
	c.t.Helper()
	f := c.read()
	if f.Type != "message" || f.Channel != channel || string(f.Data) != data {
		c.t.Fatalf("got %.200s, want %.200s on %s", f.raw, data, channel)
	}
	return f
}

// closed reads until the end of the session and returns its code and reason,
// or -1 when there was no close frame.
func (c *client) closed() (code websocket.StatusCode, reason string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	for {
		_, _, err := c.conn.Read(ctx)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			c.t.Fatal("the session was never closed")
		}
		if e, ok := errors.AsType[websocket.CloseError](err); ok {
			return e.Code, e.Reason
		}
		return -1, err.Error()
	}
}

// eventually waits until something that cannot be waited for is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(patience)
	for !so() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}
