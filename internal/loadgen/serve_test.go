package loadgen

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// testServer speaks as much of the product's protocol as a fleet needs: a
// welcome, subscribe, and messages to all or to subscribers. tamper may drop,
// repeat or swap what a client is sent.
type testServer struct {
	*httptest.Server
	tamper func(client int, frames [][]byte) [][]byte

	mu      sync.Mutex
	clients []*testClient
	byName  map[string][]*testClient
	refuse  int // so many upgrades are answered 503
}

type testClient struct {
	number int
	conn   net.Conn
}

func newTestServer(t *testing.T) *testServer {
	s := &testServer{byName: map[string][]*testClient{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ws", s.upgrade)
	mux.HandleFunc("POST /v1/messages", s.publish)
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"version":"test","pid":0}`)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.mu.Lock()
		for _, c := range s.clients {
			c.conn.Close()
		}
		s.mu.Unlock()
		s.Close()
	})
	return s
}

func (s *testServer) address() netip.AddrPort {
	return netip.MustParseAddrPort(s.Listener.Addr().String())
}

func serverFrame(opcode byte, payload []byte) []byte {
	head := []byte{0x80 | opcode, byte(len(payload))}
	if len(payload) > 125 {
		head = binary.BigEndian.AppendUint16([]byte{0x80 | opcode, 126}, uint16(len(payload)))
	}
	return append(head, payload...)
}

func (s *testServer) upgrade(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	refused := s.refuse > 0
	s.refuse--
	s.mu.Unlock()
	if refused {
		http.Error(w, `{"error":{"code":"full"}}`, http.StatusServiceUnavailable)
		return
	}
	conn, brw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	c := &testClient{conn: conn}
	s.mu.Lock()
	c.number = len(s.clients)
	s.clients = append(s.clients, c)
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	conn.Write(serverFrame(opText, []byte(`{"type":"welcome","session":"x"}`)))
	s.mu.Unlock()
	s.listen(c, brw.Reader)
}

// listen reads a client's frames: subscriptions, and its goodbye.
func (s *testServer) listen(c *testClient, r *bufio.Reader) {
	defer c.conn.Close()
	for {
		var head [2]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		n := int(head[1] & 0x7f)
		if n == 126 {
			var ext [2]byte
			if _, err := io.ReadFull(r, ext[:]); err != nil {
				return
			}
			n = int(binary.BigEndian.Uint16(ext[:]))
		}
		body := make([]byte, 4+n)
		if _, err := io.ReadFull(r, body); err != nil || head[0]&0xf == opClose {
			c.conn.Write(serverFrame(opClose, []byte{3, 232}))
			return
		}
		s.subscribe(c, string(body[4:]))
	}
}

func (s *testServer) subscribe(c *testClient, frame string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, part := range strings.Split(frame, `{"channel":"`)[1:] {
		name := part[:strings.IndexByte(part, '"')]
		s.byName[name] = append(s.byName[name], c)
		c.conn.Write(serverFrame(opText, []byte(`{"type":"subscribed","channel":"`+name+`","id":"e-0"}`)))
	}
}

// publish reads lines and answers each.
func (s *testServer) publish(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	control.EnableFullDuplex()
	lines := bufio.NewReader(r.Body)
	for {
		var batch []string
		line, err := lines.ReadString('\n')
		for err == nil {
			batch = append(batch, line)
			if lines.Buffered() == 0 {
				break
			}
			line, err = lines.ReadString('\n')
		}
		s.deliver(batch)
		for range batch {
			io.WriteString(w, `{"id":"e-1"}`+"\n")
		}
		control.Flush()
		if err != nil {
			return
		}
	}
}

func (s *testServer) deliver(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	frames := map[*testClient][][]byte{}
	for _, line := range lines {
		name, data, _ := strings.Cut(strings.TrimPrefix(line, `{"channel":"`), `","data":`)
		data = strings.TrimSuffix(data, "}\n")
		to := s.byName[name]
		if name == "broadcast" {
			to = s.clients
		}
		frame := serverFrame(opText, []byte(`{"type":"message","channel":"`+name+`","id":"e-1","time":"2026-01-01T00:00:00.000Z","data":`+data+`}`))
		for _, c := range to {
			frames[c] = append(frames[c], frame)
		}
	}
	for c, list := range frames {
		if s.tamper != nil {
			list = s.tamper(c.number, list)
		}
		for _, f := range list {
			c.conn.SetWriteDeadline(time.Now().Add(time.Second))
			c.conn.Write(f)
		}
	}
}
