//go:build linux

package test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/ws"
)

const handshake = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

var mask = [4]byte{1, 2, 3, 4}

func masked(op ws.Opcode, payload []byte) []byte { return ws.AppendMasked(nil, op, mask, payload) }

// raw is a connection on which a test may send what it likes.
type raw struct {
	*net.TCPConn
	t  *testing.T
	in *bufio.Reader
}

// dial connects. The connection has a deadline.
func (s *server) dial() *raw {
	s.t.Helper()
	return s.dialFrom("127.0.0.1")
}

// dialFrom connects from a loopback address, of which each has its own ports.
func (s *server) dialFrom(address string) *raw {
	s.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	conn, err := d.DialContext(s.t.Context(), "tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(2 * patience))
	return &raw{conn.(*net.TCPConn), s.t, bufio.NewReader(conn)}
}

// upgraded connects and takes the answer to the handshake, with the header
// lines added.
func (s *server) upgraded(headers string) *raw {
	s.t.Helper()
	r := s.dial()
	r.write([]byte(handshake + headers + "\r\n"))
	r.switched()
	return r
}

func (r *raw) write(p []byte) {
	r.t.Helper()
	if _, err := r.Write(p); err != nil {
		r.t.Fatal(err)
	}
}

// switched takes the answer to a handshake.
func (r *raw) switched() {
	r.t.Helper()
	response, err := http.ReadResponse(r.in, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		r.t.Fatalf("the handshake was answered with %v, %v", response, err)
	}
}

// frames reads to the end of the connection and returns the text frames, and
// the code of the close frame, -1 if there was none.
func (r *raw) frames() (texts []string, code int) {
	r.t.Helper()
	p, err := io.ReadAll(r.in)
	if err != nil {
		r.t.Fatalf("the connection did not end in order: %v", err)
	}
	code = -1
	var reader ws.Reader
	err = reader.Feed(p, ws.Limits{MaxMessage: 1 << 30, Client: true, Deflate: true}, func(m ws.Message) error {
		switch m.Op {
		case ws.Text:
			texts = append(texts, string(m.Data))
		case ws.Close:
			code = int(m.Code)
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return texts, code
}

// abort ends the connection by a reset.
func (r *raw) abort() {
	_ = r.SetLinger(0)
	_ = r.Close()
}

// memory returns the bytes that the process has in memory.
func (s *server) memory() int {
	s.t.Helper()
	for line := range strings.Lines(s.proc("status")) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n << 10
		}
	}
	s.t.Fatal("the process has no memory")
	return 0
}

// processor returns the processor time that the process has used.
func (s *server) processor() time.Duration {
	s.t.Helper()
	stat := s.proc("stat")
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// descriptors returns how many descriptors the process has open.
func (s *server) descriptors() int {
	s.t.Helper()
	list, err := os.ReadDir("/proc/" + strconv.Itoa(s.cmd.Process.Pid) + "/fd")
	if err != nil {
		s.t.Fatal(err)
	}
	return len(list)
}

func (s *server) proc(file string) string {
	s.t.Helper()
	p, err := os.ReadFile("/proc/" + strconv.Itoa(s.cmd.Process.Pid) + "/" + file)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(p)
}

// closeCode is the payload of a close frame.
func closeCode(code uint16) []byte { return binary.BigEndian.AppendUint16(nil, code) }

// metric returns the value of a line of /metrics, 0 when it is not there.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	for line := range strings.Lines(s.call("GET", "/metrics", "").body) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, _ := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			return v
		}
	}
	return 0
}

func repeat(text string, n int) []byte { return bytes.Repeat([]byte(text), n) }
