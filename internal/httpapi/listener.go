package httpapi

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"syscall"

	"holdfast.dev/holdfast/internal/wire"
)

// Listener returns ln with connections on which the handler of New can see
// how requests are framed: it answers one that carries both Content-Length
// and Transfer-Encoding, which net/http would accept, with 400 and closes.
// Without it, such a request is taken as chunked and the connection is closed
// with the answer.
//
// Door.Upgrade gets the connection as ln made it. For TLS, see TLSListener.
func Listener(ln net.Listener) net.Listener { return listener{ln} }

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &followed{Conn: c}, nil
}

// followed is a connection whose requests are followed.
type followed struct {
	net.Conn
	framing framing
}

func (c *followed) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.framing.see(p[:n])
	return n, err
}

// CloseWrite lets net/http end an answer without a reset that would destroy
// it on its way.
func (c *followed) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SyscallConn implements syscall.Conn where the connection does.
func (c *followed) SyscallConn() (syscall.RawConn, error) {
	if raw, ok := c.Conn.(syscall.Conn); ok {
		return raw.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// NetConn returns the connection as it was accepted.
func (c *followed) NetConn() net.Conn { return c.Conn }

func (c *followed) self() *followed { return c }

type framingKey struct{}

// remember gives the handlers of a connection's requests its framing.
func remember(ctx context.Context, c net.Conn) context.Context {
	if f, ok := c.(interface{ self() *followed }); ok {
		return context.WithValue(ctx, framingKey{}, &f.self().framing)
	}
	return ctx
}

// checkFraming refuses a request that two readers could take for two
// different ones, and closes behind every request whose body has no length
// said in advance.
func checkFraming(w http.ResponseWriter, r *http.Request) *wire.Error {
	f, ok := r.Context().Value(framingKey{}).(*framing)
	ambiguous := ok && f.ambiguous.Load()
	if ambiguous || len(r.TransferEncoding) > 0 || ok && f.coded.Load() {
		w.Header().Set("Connection", "close")
	}
	if ambiguous {
		return wire.Errorf(wire.BadRequest, "the request can be read in two ways: it must have either one Content-Length or Transfer-Encoding: chunked, and no folded header lines")
	}
	return nil
}

// bare returns w with a Hijack that hands out the connection as it was
// accepted.
func bare(w http.ResponseWriter) http.ResponseWriter {
	return hijacker{w}
}

type hijacker struct{ http.ResponseWriter }

// Hijack implements http.Hijacker.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if f, ok := c.(interface{ self() *followed }); ok {
		c = f.self().Conn
	}
	return c, rw, err
}

// Unwrap is for http.ResponseController.
func (h hijacker) Unwrap() http.ResponseWriter { return h.ResponseWriter }
