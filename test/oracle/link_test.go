//go:build linux

package oracle

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"holdfast.dev/holdfast/internal/ws"
)

// link is one connection, of which every byte is the client's to read or
// leave.
type link struct {
	*net.TCPConn
	body  body                           // what the answer's body is read with
	whole func([]byte)                   // called with each frame that is whole
	event func(kind string, data []byte) // the same for events

	head   []byte // of the answer, while it is not whole
	status int    // of the answer; 0 before it is whole
	code   int    // of the close frame; 0 before it came
	reason string
	lastID string // SSE: the newest id
}

// body reads what comes behind the head of an answer.
type body interface{ feed(l *link, p []byte) error }

// dial connects with a receive buffer of so many bytes, or the system's own.
func dial(address string, buffer int) (*link, error) {
	d := net.Dialer{Timeout: 5 * time.Second, Control: func(_, _ string, raw syscall.RawConn) (err error) {
		if buffer == 0 {
			return nil
		}
		fault := raw.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, buffer)
		})
		return errors.Join(fault, err)
	}}
	conn, err := d.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &link{TCPConn: conn.(*net.TCPConn)}, nil
}

// abort ends the connection by a reset.
func (l *link) abort() {
	_ = l.SetLinger(0)
	_ = l.Close()
}

// errRefused says that the server answered something else than was hoped for.
var errRefused = errors.New("refused")

// feed takes bytes that were read.
func (l *link) feed(p []byte) error {
	if l.status == 0 {
		l.head = append(l.head, p...)
		i := bytes.Index(l.head, []byte("\r\n\r\n"))
		if i < 0 {
			return nil
		}
		p = l.head[i+4:]
		line, _, _ := strings.Cut(string(l.head), "\r\n")
		status, err := strconv.Atoi(strings.Fields(line + " x x")[1])
		if err != nil {
			return fmt.Errorf("the answer begins with %q", line)
		}
		l.status = status
	}
	if l.status != http.StatusSwitchingProtocols && l.status != http.StatusOK {
		l.reason += string(p)
		return nil // it ends by itself
	}
	if l.body == nil {
		return errRefused
	}
	return l.body.feed(l, p)
}

// frames are those of a WebSocket.
type frames struct {
	reader  ws.Reader
	deflate bool
}

func (f *frames) feed(l *link, p []byte) error {
	return f.reader.Feed(p, ws.Limits{MaxMessage: 32 << 20, Client: true, Deflate: f.deflate}, func(m ws.Message) error {
		switch m.Op {
		case ws.Text:
			l.whole(m.Data)
		case ws.Ping:
			_, err := l.Write(ws.AppendMasked(nil, ws.Pong, mask, m.Data))
			return err
		case ws.Close:
			l.code, l.reason = int(m.Code), string(m.Data)
		}
		return nil
	})
}

var mask = [4]byte{7, 77, 177, 17}

// text appends a client's text frame.
func text(dst []byte, payload string) []byte {
	return ws.AppendMasked(dst, ws.Text, mask, []byte(payload))
}

// handshake asks for a WebSocket.
func handshake(query string, deflate bool) []byte {
	extension := ""
	if deflate {
		extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
	}
	return []byte("GET /ws" + query + " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + extension + "\r\n")
}
