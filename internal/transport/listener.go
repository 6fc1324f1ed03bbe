package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Listener accepts clients and refuses them in order, instead of spinning,
// when the process has no descriptors left.
type Listener struct {
	*net.TCPListener
	logger *slog.Logger

	mu      sync.Mutex
	reserve *os.File // a descriptor kept back, to refuse clients with
	warned  time.Time
}

const (
	pause     = 50 * time.Millisecond // between attempts without descriptors
	warnEvery = time.Minute
)

// Listen binds an address. Go is told to leave keep-alive alone: it would set
// it with four calls for each client, and by default to a probe every 15 s,
// which a million clients feel. See tune.
func Listen(ctx context.Context, address string, logger *slog.Logger) (*Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1, Control: tune}
	lc.SetMultipathTCP(false)
	ln, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, explain(address, err)
	}
	l := &Listener{TCPListener: ln.(*net.TCPListener), logger: logger}
	l.keep()
	return l, nil
}

// explain says what to do about an address that cannot be had.
func explain(address string, err error) error {
	switch {
	case errors.Is(err, errInUse):
		return fmt.Errorf("listen on %s: another program uses this port; stop it, or choose another port with --listen", address)
	case errors.Is(err, errNotPermitted):
		return fmt.Errorf("listen on %s: not permitted; ports below 1024 want a privilege, choose a higher one with --listen", address)
	case errors.Is(err, errNoSuchAddress):
		return fmt.Errorf("listen on %s: this machine has no such address; see --listen", address)
	}
	return fmt.Errorf("listen on %s: %w", address, err)
}

// Accept returns the next client.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.TCPListener.Accept()
		if err == nil || !exhausted(err) {
			return c, err
		}
		l.refuse()
	}
}

func exhausted(err error) bool {
	for _, lack := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, lack) {
			return true
		}
	}
	return false
}

// refuse tells one client, by the descriptor kept back, that there is no room
// for it, and takes at least a pause over it.
func (l *Listener) refuse() {
	next := time.NewTimer(pause)
	defer next.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.warned) > warnEvery {
		l.warned = now
		l.logger.Error("out of file descriptors: clients are refused; raise the limit (ulimit -n, LimitNOFILE) or lower --max-sessions")
	}
	if l.reserve != nil {
		_ = l.reserve.Close()
		_ = l.SetDeadline(time.Now().Add(pause))
		if c, err := l.TCPListener.Accept(); err == nil {
			turnAway(c)
		}
		_ = l.SetDeadline(time.Time{})
	}
	l.keep()
	<-next.C
}

// turnAway tells a client that there is no room for it.
func turnAway(c net.Conn) {
	_ = c.SetDeadline(time.Now().Add(pause))
	_, _ = io.WriteString(c, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 15\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	_ = c.Close()
}

// keep takes the descriptor that is kept back.
func (l *Listener) keep() { l.reserve, _ = os.Open(os.DevNull) }

// Close stops listening.
func (l *Listener) Close() error {
	err := l.TCPListener.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reserve != nil {
		_ = l.reserve.Close()
	}
	return err
}
