// Command gorilla broadcasts with github.com/gorilla/websocket in the shape of
// that library's own chat example: two goroutines and a queue per client, a
// message prepared once for all.
//
// It prints "ws ADDRESS control ADDRESS" and then sends every line that it
// reads on the control port to every client.
package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	queued    = 256 // messages that may wait for one client, as in the example
	heartbeat = 25 * time.Second
	patience  = 2*heartbeat + 10*time.Second
)

type hub struct {
	mu      sync.Mutex
	clients map[*client]struct{}
}

type client struct {
	conn *websocket.Conn
	send chan *websocket.PreparedMessage
	gone chan struct{}
}

func main() {
	log.SetFlags(0)
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	h := &hub{clients: map[*client]struct{}{}}
	go h.control(control)
	fmt.Println("ws", web.Addr(), "control", control.Addr())
	log.Fatal(http.Serve(web, h))
}

var upgrader = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &client{conn: conn, send: make(chan *websocket.PreparedMessage, queued), gone: make(chan struct{})}
	h.mu.Lock()
	h.clients[c] = struct{}{}
	h.mu.Unlock()
	welcome, err := websocket.NewPreparedMessage(websocket.TextMessage, []byte(`{"type":"welcome"}`))
	if err != nil {
		log.Fatal(err)
	}
	c.send <- welcome
	go c.write()
	go h.read(c)
}

func (h *hub) read(c *client) {
	defer func() {
		h.mu.Lock()
		delete(h.clients, c)
		h.mu.Unlock()
		close(c.gone)
		c.conn.Close()
	}()
	c.conn.SetReadLimit(64 << 10)
	c.conn.SetReadDeadline(time.Now().Add(patience))
	c.conn.SetPongHandler(func(string) error { return c.conn.SetReadDeadline(time.Now().Add(patience)) })
	for {
		if _, _, err := c.conn.ReadMessage(); err != nil {
			return
		}
	}
}

func (c *client) write() {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case m := <-c.send:
			c.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
			if err := c.conn.WritePreparedMessage(m); err != nil {
				return
			}
		case <-ticker.C:
			if err := c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(10*time.Second)); err != nil {
				return
			}
		case <-c.gone:
			return
		}
	}
}

func (h *hub) control(l net.Listener) {
	conn, err := l.Accept()
	if err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewReaderSize(conn, 1<<20)
	var all []*client
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return
		}
		m, err := websocket.NewPreparedMessage(websocket.TextMessage, append([]byte(nil), line[:len(line)-1]...))
		if err != nil {
			log.Fatal(err)
		}
		all = all[:0]
		h.mu.Lock()
		for c := range h.clients {
			all = append(all, c)
		}
		h.mu.Unlock()
		for _, c := range all {
			select {
			case c.send <- m:
			case <-c.gone:
			}
		}
	}
}
