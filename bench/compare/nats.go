package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"

	"holdfast.dev/holdfast/internal/loadgen"
)

// natsDialect speaks the NATS client protocol inside binary frames. Several of
// its messages may share a frame, and one may be spread over several.
type natsDialect struct{ host string }

const (
	natsConnect = `CONNECT {"verbose":false,"pedantic":false,"lang":"bench","version":"1","protocol":1}` + "\r\n"
	natsSubject = "bench"
)

func (n natsDialect) Request(int) []byte { return loadgen.Upgrade(n.host, "/") }

// Greeting subscribes; the PONG behind it tells that the server has done so.
func (n natsDialect) Greeting(int) ([]byte, int) {
	body := natsConnect + "SUB " + natsSubject + " 1\r\nPING\r\n"
	return loadgen.AppendFrame(nil, loadgen.Binary, []byte(body)), 1
}

var natsPong = loadgen.AppendFrame(nil, loadgen.Binary, []byte("PONG\r\n"))

func (n natsDialect) Decode(p []byte, to *loadgen.Sink) (used int) {
	for {
		rest := p[used:]
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			return used
		}
		line := bytes.TrimSuffix(rest[:end], []byte("\r"))
		next := end + 1
		switch {
		case bytes.HasPrefix(line, []byte("MSG ")):
			size, err := strconv.Atoi(string(line[bytes.LastIndexByte(line, ' ')+1:]))
			if err != nil {
				to.Fault(fmt.Sprintf("nats-server sent %.80q", line))
				return len(p)
			}
			if len(rest) < next+size+2 {
				return used
			}
			to.Message(rest[next : next+size])
			next += size + 2
		case string(line) == "PONG":
			to.Answer()
		case string(line) == "PING":
			to.Reply(natsPong)
		case bytes.HasPrefix(line, []byte("-ERR")):
			to.Fault("nats-server: " + string(line))
		}
		used += next
	}
}

// natsPublisher publishes by the NATS client protocol over TCP.
type natsPublisher struct {
	net.Conn
	ended chan error
}

func dialNATS(control netip.AddrPort) (loadgen.Publisher, error) {
	conn, err := net.Dial("tcp", control.String())
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(conn, natsConnect); err != nil {
		return nil, err
	}
	n := natsPublisher{conn, make(chan error, 1)}
	go n.listen()
	return n, nil
}

// listen answers the server's pings. They stand alone on their line, so a
// whole one comes in one read on the loopback network.
func (n natsPublisher) listen() {
	buf := make([]byte, 4096)
	for {
		got, err := n.Read(buf)
		if err != nil {
			n.ended <- nil
			return
		}
		if bytes.Contains(buf[:got], []byte("-ERR")) {
			n.ended <- fmt.Errorf("nats-server refused to publish: %.100q", buf[:got])
			n.Conn.Close()
			return
		}
		if bytes.HasPrefix(buf[:got], []byte("PING\r\n")) || bytes.Contains(buf[:got], []byte("\r\nPING\r\n")) {
			io.WriteString(n.Conn, "PONG\r\n")
		}
	}
}

func (n natsPublisher) Append(dst []byte, _ string, data []byte) []byte {
	dst = append(dst, "PUB "+natsSubject+" "...)
	dst = strconv.AppendInt(dst, int64(len(data)), 10)
	dst = append(dst, "\r\n"...)
	dst = append(dst, data...)
	return append(dst, "\r\n"...)
}

func (n natsPublisher) Close() error {
	n.Conn.Close()
	return <-n.ended
}
