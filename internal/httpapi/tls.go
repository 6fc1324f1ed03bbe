package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/ws"
)

const http2Name = "h2" // as TLS negotiates it (RFC 9113, section 3.2)

// TLSListener returns ln with TLS by config, over which a client may choose
// HTTP/2 or HTTP/1.1. Handshakes are done here, each on a goroutine of its
// own and within the time that a request's header has, because what follows
// depends on them: net/http wants HTTP/2 on the bare *tls.Conn, and HTTP/1.1
// is followed as by Listener. Close ends handshakes that are under way and
// waits for them.
func TLSListener(ln net.Listener, config *tls.Config) net.Listener {
	config = config.Clone()
	config.NextProtos = []string{http2Name, "http/1.1"}
	l := &secured{Listener: ln, config: config, ready: make(chan arrival)}
	l.open, l.stop = context.WithCancel(context.Background())
	return l
}

// secured is a listener that hands out connections when their TLS handshake
// is over.
type secured struct {
	// Static after TLSListener.
	net.Listener
	config *tls.Config
	ready  chan arrival
	open   context.Context // done when the listener is closed
	stop   context.CancelFunc

	begin sync.Once
	work  sync.WaitGroup
}

// arrival is what Accept returns.
type arrival struct {
	conn net.Conn
	err  error
}

// Accept returns the next client that is through its handshake.
func (l *secured) Accept() (net.Conn, error) {
	l.begin.Do(func() { l.work.Go(l.run) })
	select {
	case a := <-l.ready:
		return a.conn, a.err
	case <-l.open.Done():
		return nil, net.ErrClosed
	}
}

// run accepts until the listener is closed. An error waits for who calls
// Accept, as the next attempt then does.
func (l *secured) run() {
	for l.open.Err() == nil {
		c, err := l.Listener.Accept()
		if err != nil {
			l.hand(arrival{err: err})
			continue
		}
		l.work.Go(func() { l.secure(c) })
	}
}

func (l *secured) secure(c net.Conn) {
	t := tls.Server(c, l.config)
	ctx, cancel := context.WithTimeout(l.open, headerPatience)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		if plain, ok := errors.AsType[tls.RecordHeaderError](err); ok && plain.Conn != nil {
			tellPlain(plain)
		}
		_ = c.Close()
		return
	}
	if t.ConnectionState().NegotiatedProtocol == http2Name {
		l.hand(arrival{conn: t})
		return
	}
	l.hand(arrival{conn: &followedTLS{followed: &followed{Conn: t}, tls: t}})
}

// hand gives an arrival to Accept, unless the listener is closed.
func (l *secured) hand(a arrival) {
	select {
	case l.ready <- a:
	case <-l.open.Done():
		if a.conn != nil {
			_ = a.conn.Close()
		}
	}
}

// Close implements net.Listener.
func (l *secured) Close() error {
	l.stop()
	err := l.Listener.Close()
	l.work.Wait()
	return err
}

// tellPlain answers a client that speaks HTTP where TLS is spoken.
func tellPlain(e tls.RecordHeaderError) {
	switch string(e.RecordHeader[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "DELET", "OPTIO":
		_ = e.Conn.SetDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(e.Conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\nThis port speaks HTTPS: write https:// or wss:// in front of its name.\n")
	}
}

// followedTLS is followed for HTTP/1.1 over TLS: net/http learns from
// ConnectionState that requests came over it.
type followedTLS struct {
	*followed
	tls *tls.Conn
}

// ConnectionState describes the TLS connection.
func (c *followedTLS) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

// overHTTP2 tells a client of HTTP/2, which has no upgrade to name (RFC 9113,
// section 8.6), where WebSockets are.
var overHTTP2 = &ws.HandshakeError{
	Status:  http.StatusUpgradeRequired,
	Message: "a WebSocket begins with HTTP/1.1 and this request came over HTTP/2; connect with a WebSocket client, or offer http/1.1 alone when TLS asks",
}

// unhurried lets a request over HTTP/2 go on without an answer for longer
// than answerPatience: there, a write deadline that passes ends the request
// even if nothing is being written. It is set anew with each answer.
func unhurried(rc *http.ResponseController, r *http.Request) {
	if r.ProtoMajor > 1 {
		rc.SetWriteDeadline(time.Time{})
	}
}
