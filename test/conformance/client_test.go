package main

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The first byte of a frame (RFC 6455, section 5.2).
const (
	fin  = 0x80
	rsv1 = 0x40
	rsv2 = 0x20
	rsv3 = 0x10

	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10
)

const patience = 20 * time.Second

// client is a WebSocket client that sends whatever it is told to. It shares
// no code with what it tests.
type client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// reply is what the server sent: one frame, inflated.
type reply struct {
	op         byte
	data       []byte
	compressed bool
}

func (r reply) String() string {
	const shown = 60
	if len(r.data) > shown {
		return fmt.Sprintf("opcode %d, %d bytes beginning with %q", r.op, len(r.data), r.data[:shown])
	}
	return fmt.Sprintf("opcode %d, %q", r.op, r.data)
}

func connect(t *testing.T, address, extensions string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	request := "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	if extensions != "" {
		request += "Sec-WebSocket-Extensions: " + extensions + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, conn: conn, in: bufio.NewReader(conn)}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols || response.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("handshake answered with %v, %v", response, err)
	}
	agreed := strings.HasPrefix(response.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate;")
	if agreed != (extensions != "") {
		t.Fatalf("offered %q, agreed on %q", extensions, response.Header.Get("Sec-WebSocket-Extensions"))
	}
	return c
}

// send writes p in pieces of so many bytes. The server may close before it
// has taken all.
func (c *client) send(p []byte, piece int) {
	for len(p) > 0 {
		n := min(piece, len(p))
		if _, err := c.conn.Write(p[:n]); err != nil {
			return
		}
		p = p[n:]
	}
}

// read returns the next frame, or false at the end of the connection.
func (c *client) read() (reply, bool) {
	c.t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(c.in, head[:]); err == io.EOF {
		return reply{}, false
	} else if err != nil {
		c.t.Fatalf("reading a frame: %v", err)
	}
	r := reply{op: head[0] & 0x0f, compressed: head[0]&rsv1 != 0}
	if head[0]&(rsv2|rsv3) != 0 || head[0]&fin == 0 || head[1]&0x80 != 0 {
		c.t.Fatalf("the server sent a frame that begins with % x", head)
	}
	n := uint64(head[1])
	switch n {
	case 126:
		var b [2]byte
		c.full(b[:])
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		c.full(b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	r.data = make([]byte, n)
	c.full(r.data)
	if r.compressed {
		r.data = inflate(c.t, r.data)
	}
	return r, true
}

func (c *client) full(p []byte) {
	c.t.Helper()
	if _, err := io.ReadFull(c.in, p); err != nil {
		c.t.Fatalf("reading a frame: %v", err)
	}
}

// expect fails the test unless the next frames are those.
func (c *client) expect(want []reply) {
	c.t.Helper()
	for i, w := range want {
		r, ok := c.read()
		if !ok || r.op != w.op || !bytes.Equal(r.data, w.data) {
			c.t.Fatalf("frame %d: got %v, want %v", i, r, w)
		}
	}
}

// expectClose fails the test unless the server closes with that code and then ends the connection in order.
func (c *client) expectClose(code int) {
	c.t.Helper()
	r, ok := c.read()
	if !ok || r.op != opClose {
		c.t.Fatalf("got %v, want a close with %d", r, code)
	}
	if len(r.data) < 2 || int(binary.BigEndian.Uint16(r.data)) != code {
		c.t.Fatalf("closed with %q, want %d", r.data, code)
	}
	if r, ok := c.read(); ok {
		c.t.Fatalf("%v behind the close frame", r)
	}
}

// frame returns a masked frame that begins with that byte.
func frame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b = append(b, mask[:]...)
	for i, c := range payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

// deflate compresses as a client does that has no context takeover.
func deflate(level int, p []byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, level)
	_, _ = w.Write(p)
	_ = w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}

func inflate(t *testing.T, p []byte) []byte {
	t.Helper()
	tail := strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff")
	out, err := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(p), tail)))
	if err != nil {
		t.Fatalf("what the server compressed does not inflate: %v", err)
	}
	return out
}
