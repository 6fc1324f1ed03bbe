package transport

import (
	"bufio"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pires/go-proxyproto"
)

// ProxyProtocol returns ln with connections that know their client when a
// proxy has told it by the PROXY protocol, version 1 or 2
// (https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt). Only
// connections from trusted addresses may begin so; those from elsewhere are
// handed out as they are, where such a header is no good request.
//
// A trusted peer that says nothing about a client, as its health checks do,
// counts as the client itself. It may take headerTime to say something. A
// header that cannot be read ends its connection and is logged.
func ProxyProtocol(ln net.Listener, trusted []netip.Prefix, logger *slog.Logger) net.Listener {
	return &proxyListener{Listener: ln, trusted: trusted, logger: logger}
}

const (
	headerTime = 5 * time.Second
	// headerAhead is how many bytes may be read before it is known what they
	// are: more than the 107 of the longest line of version 1, fewer than the
	// shortest handshake of a WebSocket has.
	headerAhead = 112
)

type proxyListener struct {
	// Static after ProxyProtocol.
	net.Listener
	trusted []netip.Prefix
	logger  *slog.Logger

	warned atomic.Int64 // Unix second of the last bad header that was logged
}

// Accept returns the next client. It does not wait for its header: that is
// read when somebody wants to know who it is, or what it says.
func (l *proxyListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !l.trusts(c.RemoteAddr()) {
		return c, nil
	}
	return &proxied{Conn: c, listener: l, ahead: bufio.NewReaderSize(c, headerAhead)}, nil
}

func (l *proxyListener) trusts(peer net.Addr) bool {
	tcp, ok := peer.(*net.TCPAddr)
	if !ok {
		return false
	}
	address := tcp.AddrPort().Addr().Unmap().WithZone("")
	return slices.ContainsFunc(l.trusted, func(p netip.Prefix) bool { return p.Contains(address) })
}

// complain logs a header that cannot be read, once a minute.
func (l *proxyListener) complain(peer net.Addr, err error) {
	if now := time.Now().Unix(); now-l.warned.Load() > int64(warnEvery/time.Second) {
		l.warned.Store(now)
		l.logger.Warn("a trusted proxy sent a PROXY protocol header that cannot be read; the connection was closed", "proxy", peer.String(), "error", err)
	}
}

// proxied is a connection that may begin with a header.
type proxied struct {
	net.Conn // as it was accepted
	listener *proxyListener
	once     sync.Once

	// Static after begin.
	client *net.TCPAddr // whom the header names, if any
	fault  error        // the header cannot be read

	// Owned by the reader.
	ahead *bufio.Reader // what was read with the header; nil when taken
}

// begin reads the header.
func (c *proxied) begin() {
	c.once.Do(func() {
		header, err := proxyproto.ReadHeaderTimeout(c.Conn, c.ahead, headerTime)
		switch {
		case err == nil && header.Command.IsProxy():
			c.client, _ = header.SourceAddr.(*net.TCPAddr)
		case err == nil, errors.Is(err, proxyproto.ErrNoProxyProtocol):
		default:
			c.fault = err
			if !errors.Is(err, net.ErrClosed) {
				c.listener.complain(c.Conn.RemoteAddr(), err)
			}
		}
	})
}

// RemoteAddr returns the client's address. It waits for the header.
func (c *proxied) RemoteAddr() net.Addr {
	if c.begin(); c.client != nil {
		return c.client
	}
	return c.Conn.RemoteAddr()
}

// Read reads what comes behind the header.
func (c *proxied) Read(p []byte) (int, error) {
	if c.begin(); c.fault != nil {
		return 0, c.fault
	}
	if c.ahead != nil && c.ahead.Buffered() > 0 {
		return c.ahead.Read(p)
	}
	c.ahead = nil
	return c.Conn.Read(p)
}

// CloseWrite shuts our side of the connection.
func (c *proxied) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Plain returns the connection as it was accepted. Nothing is lost: whoever
// has read a handshake has read all that was read ahead.
func (c *proxied) Plain() net.Conn { return c.Conn }
