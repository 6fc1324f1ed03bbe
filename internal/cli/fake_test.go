package cli

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"holdfast.dev/holdfast/internal/wire"
)

// fake answers as a holdfast server does, with fixed numbers: channel "news"
// has three subscribers, "newt" one, others none; channel "forbidden" refuses.
type fake struct {
	mux *http.ServeMux
	// connect carries out one WebSocket session.
	connect func(ctx context.Context, conn *websocket.Conn, channels []string)

	mu       sync.Mutex
	requests []string // METHOD PATH?QUERY of each, then " " and the body
	ids      int
}

func newFake() *fake {
	f := &fake{mux: http.NewServeMux(), connect: twoMessages}
	f.mux.HandleFunc("POST /v1/channels/{channel}/messages", f.publish)
	f.mux.HandleFunc("POST /v1/messages", f.stream)
	f.mux.HandleFunc("GET /v1/channels", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, `{"channels":[{"channel":"news","subscribers":3},{"channel":"newt","subscribers":1},{"channel":"other","subscribers":0}]}`)
	})
	f.mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, `{"version":"1.2.3","pid":4711,"uptime_s":93784.5,"sessions":12431,"channels":210,"subscriptions":300,"published":1,"delivered":2,"published_per_s":103.25,"delivered_per_s":53000,"memory_bytes":39845888,"drain":{"state":"waiting","remaining":8120,"of":12431,"left_s":1180}}`)
	})
	f.mux.HandleFunc("GET /v1/channels/{channel}/messages", f.history)
	f.mux.HandleFunc("GET /v1/channels/{channel}/presence", f.presence)
	f.mux.HandleFunc("DELETE /v1/sessions/{id}", f.disconnect)
	f.mux.HandleFunc("DELETE /v1/users/{user}/sessions", f.disconnect)
	f.mux.HandleFunc("/v1/drain", f.drain)
	f.mux.HandleFunc("GET /ws", f.upgrade)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.mux.ServeHTTP(w, r) }

func (f *fake) note(r *http.Request, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	line := r.Method + " " + r.URL.RequestURI() + " " + body
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		line += " key=" + key
	}
	if auth := r.Header.Get("Authorization"); auth != "" {
		line += " (" + auth + ")"
	}
	f.requests = append(f.requests, line)
}

func (f *fake) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests
}

func subscribers(channel string) int {
	return map[string]int{"broadcast": 5, "news": 3, "newt": 1}[channel]
}

func (f *fake) receipt(channel string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids++
	return fmt.Sprintf(`{"channel":%q,"id":"e-%d","time":"2027-01-02T14:02:11.000Z","subscribers":%d}`, channel, f.ids, subscribers(channel))
}

const forbidden = `{"error":{"code":"forbidden","message":"this channel is closed","help":"docs/errors.md#forbidden"}}`

func (f *fake) publish(w http.ResponseWriter, r *http.Request) {
	body := new(strings.Builder)
	bufio.NewReader(r.Body).WriteTo(body)
	f.note(r, body.String())
	if r.PathValue("channel") == "forbidden" {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintln(w, forbidden)
		return
	}
	if key := r.Header.Get("Idempotency-Key"); key == "again" {
		fmt.Fprintln(w, `{"channel":"news","id":"e-1","time":"2027-01-02T14:02:11.000Z","subscribers":0,"duplicate":true}`)
		return
	}
	fmt.Fprintln(w, f.receipt(r.PathValue("channel")))
}

// history holds e-1 to e-3 of "news"; what lay before e-1 is gone.
func (f *fake) history(w http.ResponseWriter, r *http.Request) {
	f.note(r, "")
	if r.PathValue("channel") != "news" {
		fmt.Fprintf(w, "{\"channel\":%q,\"messages\":[],\"complete\":true,\"next\":\"e-0\"}\n", r.PathValue("channel"))
		return
	}
	complete := !strings.Contains(r.URL.RawQuery, "since=e-0") && !strings.Contains(r.URL.RawQuery, "since=old-")
	fmt.Fprintf(w, "{\"channel\":\"news\",\"messages\":[%s,%s,%s],\"complete\":%t,\"next\":\"e-3\"}\n",
		message("news", 1, `{"price":12}`), message("news", 2, `"two"`), message("news", 3, "3"), complete)
}

func (f *fake) presence(w http.ResponseWriter, r *http.Request) {
	f.note(r, "")
	switch r.PathValue("channel") {
	case "room-1":
		fmt.Fprintln(w, `{"channel":"room-1","members":[{"user":"ann","sessions":1},{"user":"bartholomew","sessions":1200}],"total":5}`)
	case "room-2":
		fmt.Fprintln(w, `{"channel":"room-2","members":[],"total":0}`)
	default:
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintln(w, forbidden)
	}
}

func (f *fake) disconnect(w http.ResponseWriter, r *http.Request) {
	body := new(strings.Builder)
	bufio.NewReader(r.Body).WriteTo(body)
	f.note(r, body.String())
	n := 1
	switch {
	case r.PathValue("user") != "":
		n = 3
	case r.PathValue("id") == "gone":
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintln(w, `{"error":{"code":"not_found","message":"no session \"gone\" is connected","help":"docs/errors.md#not_found"}}`)
		return
	}
	fmt.Fprintf(w, "{\"disconnected\":%d}\n", n)
}

// drain is at a drain of 12,431 sessions; another is refused unless it has a
// limit.
func (f *fake) drain(w http.ResponseWriter, r *http.Request) {
	body := new(strings.Builder)
	bufio.NewReader(r.Body).WriteTo(body)
	f.note(r, body.String())
	switch limit := r.URL.Query().Get("limit"); {
	case r.Method == http.MethodDelete:
		fmt.Fprintln(w, `{"state":"serving","remaining":8120}`)
	case r.Method == http.MethodPost && (body.String() != `{"confirm":true}` || limit == ""):
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintln(w, `{"error":{"code":"conflict","message":"a drain goes on already","help":"docs/errors.md#conflict"}}`)
	default:
		fmt.Fprintln(w, `{"state":"waiting","remaining":8120,"of":12431,"left_s":1180,"forced_at":"2027-01-02T17:34:05Z","shed_at":"2027-01-02T17:28:05Z","started_at":"2027-01-02T17:04:05Z","cause":"SIGTERM","left":4151,"moved":160,"shed":0,"forced":0}`)
	}
}

func (f *fake) stream(w http.ResponseWriter, r *http.Request) {
	http.NewResponseController(w).EnableFullDuplex()
	lines := bufio.NewScanner(r.Body)
	for lines.Scan() {
		f.note(r, lines.Text())
		p, err := wire.ParsePublication(lines.Bytes())
		switch {
		case err != nil:
			fmt.Fprintln(w, `{"error":{"code":"bad_json","message":"not JSON"}}`)
		case p.Channel == "forbidden":
			fmt.Fprintln(w, forbidden)
		default:
			fmt.Fprintln(w, f.receipt(p.Channel))
		}
		http.NewResponseController(w).Flush()
	}
}

func (f *fake) upgrade(w http.ResponseWriter, r *http.Request) {
	f.note(r, "")
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	var channels []string
	if list := r.URL.Query().Get("channels"); list != "" {
		channels = strings.Split(list, ",")
	}
	f.connect(r.Context(), conn, channels)
}

// send writes frames.
func send(ctx context.Context, conn *websocket.Conn, frames ...string) {
	for _, frame := range frames {
		if conn.Write(ctx, websocket.MessageText, []byte(frame)) != nil {
			return
		}
	}
}

func message(channel string, n int, data string) string {
	return fmt.Sprintf(`{"type":"message","channel":%q,"id":"e-%d","time":"2027-01-02T14:02:11.000Z","data":%s}`, channel, n, data)
}

const welcome = `{"type":"welcome","session":"s","node":"n","version":"1","heartbeat_s":25}`

// twoMessages welcomes, sends a broadcast and one message for each channel,
// and waits for the client to leave.
func twoMessages(ctx context.Context, conn *websocket.Conn, channels []string) {
	send(ctx, conn, welcome, message("broadcast", 1, `{"text":"hi"}`))
	for i, name := range channels {
		send(ctx, conn, message(name, i+1, `{"price":12}`))
	}
	conn.Read(ctx)
}
