package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/transport"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// What carries the sessions.
const (
	transportLoop      = "loop"      // the event loop reads and writes the socket itself
	transportGoroutine = "goroutine" // a goroutine reads each connection, as with TLS
)

const (
	maxMessage = 16 << 20       // bytes, the longest that the suites send
	maxLag     = 4 * maxMessage // bytes of echoes that a client may leave unread
	plenty     = 1_000_000      // of what is bounded in production and not of interest here
)

// echo is a server that sends every message back.
type echo struct {
	carrier *transport.Server
	deflate bool
	streams bool
}

// newEcho makes an echo server. Nothing runs before serve.
func newEcho(carriedBy string, deflate bool, logger *slog.Logger) (*echo, error) {
	if carriedBy != transportLoop && carriedBy != transportGoroutine {
		return nil, fmt.Errorf("no transport is called %q; there are %s and %s", carriedBy, transportLoop, transportGoroutine)
	}
	h := hub.New()
	carrier, err := transport.New(transport.Setup{
		Hub: h,
		Policy: &session.Policy{
			Heartbeat: time.Hour, MaxFrame: maxMessage, FramesPerSecond: plenty, FrameBurst: plenty,
			StandIn: func(m ws.Message, c session.Carrier) { c.Send(m.Op, m.Data) },
		},
		Limits: transport.Limits{MaxSessions: plenty, MaxConnectRate: plenty, MaxLag: maxLag},
		Logger: logger,
		Ended:  func(wire.CloseCode) {},
	})
	if err != nil {
		return nil, err
	}
	h.Use(memory.New(h), carrier.Listeners())
	return &echo{carrier: carrier, deflate: deflate, streams: carriedBy == transportGoroutine}, nil
}

// serve echoes to whoever connects to ln, until ctx is done. It closes ln.
func (e *echo) serve(ctx context.Context, ln net.Listener) error {
	if e.streams {
		ln = opaqueListener{ln}
	}
	web := &http.Server{Handler: e, ReadHeaderTimeout: 5 * time.Second}
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { _ = e.carrier.Run(inner) })
	closing := context.AfterFunc(ctx, func() { _ = web.Close() })
	err := web.Serve(ln)
	closing()
	stop()
	wg.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// ServeHTTP upgrades the request, whatever its path.
func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handshake, bad := ws.CheckHandshake(r, e.deflate)
	if bad != nil {
		for name, values := range bad.Header {
			w.Header()[name] = values
		}
		http.Error(w, bad.Message, bad.Status)
		return
	}
	address, _ := netip.ParseAddrPort(r.RemoteAddr)
	if err := e.carrier.Upgrade(w, r, transport.Request{Handshake: handshake, Address: address}); err != nil {
		http.Error(w, err.Message, err.Code.Status())
	}
}

// opaqueListener hides what its connections are, so that nothing can take
// their descriptor out and each is given a goroutine.
type opaqueListener struct{ net.Listener }

type opaque struct{ *net.TCPConn }

func (l opaqueListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return opaque{c.(*net.TCPConn)}, nil
}
