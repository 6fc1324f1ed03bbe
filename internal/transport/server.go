package transport

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// Limits bound what a Server takes on. All must be set but PerAddress and
// PerUser, which are no bounds while 0.
type Limits struct {
	MaxSessions    int // open at once
	MaxConnectRate int // new ones a second
	MaxLag         int // bytes that one session may be behind
	// SkipSlow has a session that is further behind go on from the newest
	// message, told of the gap, instead of closing it.
	SkipSlow   bool
	PerAddress int // sessions of one IPv4 address, or IPv6 /64
	PerUser    int // sessions of one user
}

// Setup is what a Server stands on. All fields are required.
type Setup struct {
	Hub    *hub.Hub
	Policy *session.Policy
	Limits Limits
	Logger *slog.Logger
	// Ended is told the close code of each session that ends, CloseAbnormal
	// when the connection was lost. It must not block.
	Ended func(wire.CloseCode)
}

// Server carries all sessions of a node. It must be made by New; all methods
// may be called from any goroutine.
type Server struct {
	// Static after New.
	Setup
	loops []*Loop

	gate    Gate
	turn    atomic.Uint32  // whose turn it is to get a client
	warned  atomic.Int64   // Unix second of the last client without a descriptor
	streams sync.WaitGroup // goroutines that serve streams
}

// New returns a server with one loop a core. Nothing runs before Run.
func New(setup Setup) (*Server, error) {
	s := &Server{Setup: setup}
	s.gate.init(setup.Limits)
	for range runtime.GOMAXPROCS(0) {
		l, err := newLoop(s)
		if err != nil {
			for _, l := range s.loops {
				l.poller.close()
			}
			return nil, fmt.Errorf("event loop: %w", err)
		}
		s.loops = append(s.loops, l)
	}
	return s, nil
}

// Listeners returns the loops as the hub sees them.
func (s *Server) Listeners() []hub.Listener {
	listeners := make([]hub.Listener, len(s.loops))
	for i, l := range s.loops {
		listeners[i] = l
	}
	return listeners
}

// Run serves until ctx is done. Sessions that are open then are cut off; a
// drain must have ended them before.
func (s *Server) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, l := range s.loops {
		wg.Go(func() { l.run(ctx) })
	}
	ticker := time.NewTicker(tickLength)
	defer ticker.Stop()
	for ended := false; !ended; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
		ended = ctx.Err() != nil // looked at before the loops are woken: they must see it when they are woken last
		for _, l := range s.loops {
			l.wake()
		}
	}
	wg.Wait()
	s.streams.Wait()
	return nil
}

// Request is a handshake that passed every check.
type Request struct {
	Handshake ws.Handshake
	Wants     []wire.Wanted  // to subscribe to at once; checked
	Grant     *session.Grant // of the client's token; nil without one
	Address   netip.AddrPort
}

// Upgrade takes the connection over from net/http and puts it on a loop.
// Where it returns an error nothing was written: the refusal is the caller's
// to answer.
func (s *Server) Upgrade(w http.ResponseWriter, _ *http.Request, req Request) *wire.Error {
	a, err := s.enter(req)
	if err != nil {
		return err
	}
	nc, err := s.takeOver(w, a)
	if err != nil {
		return err
	}
	a.response = req.Handshake.AppendResponse(nil)
	s.carry(nc, a)
	return nil
}

// enter lets a client in by the gate.
func (s *Server) enter(req Request) (*arrival, *wire.Error) {
	if err := s.gate.enter(time.Now(), req.Address.Addr(), req.Grant.Name()); err != nil {
		return nil, err
	}
	return &arrival{fd: -1, grant: req.Grant, address: req.Address, deflate: req.Handshake.Deflate, wants: req.Wants}, nil
}

// takeOver takes the connection of an arrival over from net/http, with what
// the client has sent on it. Where it cannot, the arrival has left.
func (s *Server) takeOver(w http.ResponseWriter, a *arrival) (net.Conn, *wire.Error) {
	nc, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		s.gate.leave(a.address.Addr(), a.grant.Name())
		return nil, wire.Errorf(wire.Internal, "this connection cannot be upgraded; use HTTP/1.1")
	}
	if n := buffered.Reader.Buffered(); n > 0 {
		a.input = make([]byte, n)
		_, _ = buffered.Reader.Read(a.input) // buffered: it cannot fail
	}
	return nc, nil
}

// next returns the loop whose turn it is.
func (s *Server) next() *Loop { return s.loops[s.turn.Add(1)%uint32(len(s.loops))] }

// carry gives an arrival its way of being carried and hands it to a loop.
func (s *Server) carry(nc net.Conn, a *arrival) {
	l := s.next()
	fd, err := detach(nc)
	switch {
	case err == nil:
		a.fd = fd
	case err == errNotDetachable:
		a.stream = newStream(nc, l)
	default:
		turnAway(nc)
		s.gate.leave(a.address.Addr(), a.grant.Name())
		if now := time.Now().Unix(); now-s.warned.Swap(now) > int64(warnEvery/time.Second) {
			l.Logger.Error("clients are refused: no descriptor for them", "error", err)
		}
		return
	}
	l.do(func() { l.admit(a) })
}

// StopAdmitting, ResumeAdmitting, Open and Empty are the gate's.
func (s *Server) StopAdmitting() int     { return s.gate.StopAdmitting() }
func (s *Server) ResumeAdmitting()       { s.gate.ResumeAdmitting() }
func (s *Server) Open() int              { return s.gate.Open() }
func (s *Server) Empty() <-chan struct{} { return s.gate.Empty() }

// Refusal returns why a session of user, "" when not known, from an address
// would be refused now, or nil.
func (s *Server) Refusal(address netip.Addr, user string) *wire.Error {
	return s.gate.Refusal(address, user)
}

// Refusals returns how many sessions were refused so far at each bound.
func (s *Server) Refusals() Refusals { return s.gate.Refusals() }

// CloseSome begins the orderly end of n more sessions, those first that have
// nothing due, each loop taking its part. It does not wait.
func (s *Server) CloseSome(n int) {
	untold := 0
	for _, l := range s.loops {
		untold += int(l.open.Load())
	}
	for _, l := range s.loops {
		open := int(l.open.Load())
		share := min(open, (n*open+untold-1)/max(1, untold))
		l.do(func() { l.endSome(share) })
		n, untold = n-share, untold-open
	}
}

// Held returns the bytes kept for unfinished messages and unread replies.
func (s *Server) Held() int64 { return s.gate.held.Load() }
