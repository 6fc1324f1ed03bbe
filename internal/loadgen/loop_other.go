//go:build !linux

package loadgen

import (
	"context"
	"net"
	"sync"
	"time"
)

// platform is what the goroutines of a shard share: everything of it is
// touched with mu held.
type platform struct {
	mu    sync.Mutex
	conns []net.Conn // by client, nil when it has none
}

func (p *platform) init() {}

// Bounds of a connection's steps.
const (
	dialFor   = 10 * time.Second
	lingerFor = 2 * time.Second
)

// run serves the shard's clients, a goroutine each, until ctx is done and all
// have ended.
func (s *shard) run(ctx context.Context) error {
	s.conns = make([]net.Conn, len(s.clients))
	s.started = time.Now()
	var wg sync.WaitGroup
	for ctx.Err() == nil {
		s.mu.Lock()
		i, ok := s.next()
		s.mu.Unlock()
		if ok {
			wg.Go(func() { s.serve(ctx, i) })
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.within((*shard).goodbye)
	wg.Wait()
	return nil
}

// within runs fn while no client's goroutine touches the shard.
func (s *shard) within(fn func(*shard)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn(s)
}

// serve dials client i and reads from it until its end.
func (s *shard) serve(ctx context.Context, i int) {
	s.within(func(s *shard) { s.clients[i].phase = dialling })
	conn, err := (&net.Dialer{Timeout: dialFor}).DialContext(ctx, "tcp", s.fleet.opt.Address.String())
	if err == nil {
		defer conn.Close()
		s.within(func(s *shard) {
			s.conns[i], s.clients[i].phase = conn, upgrading
			s.clients[i].out = append(s.clients[i].out, s.fleet.opt.Dialect.Request(s.first+i)...)
			s.flush(i)
		})
		if ctx.Err() != nil {
			conn.SetDeadline(time.Now())
		}
		err = s.read(ctx, i, conn)
	}
	s.within(func(s *shard) {
		s.conns[i] = nil
		s.ended(i, err)
		s.report()
	})
}

// read feeds the shard until the connection ends.
func (s *shard) read(ctx context.Context, i int, conn net.Conn) error {
	buffer := make([]byte, 32<<10)
	kept := 0
	for {
		if kept == len(buffer) {
			buffer = append(buffer, make([]byte, len(buffer))...)
		}
		n, err := conn.Read(buffer[kept:])
		if err != nil {
			return err
		}
		stall := false
		s.within(func(s *shard) {
			c := &s.clients[i]
			if c.phase == closing {
				return
			}
			var used int
			used, err = s.feed(i, buffer[:kept+n], time.Now().UnixNano())
			kept = copy(buffer, buffer[used:kept+n])
			s.flush(i)
			s.report()
			stall = s.stalling(i)
		})
		if err != nil {
			return err
		}
		if stall {
			<-ctx.Done()
			return errStalled
		}
	}
}

// stop makes client i stop reading: its goroutine sees to that once it has read
// what it waits for.
func (s *shard) stop(int) {}

// flush sends what client i has to say. It is little, so the socket takes it.
func (s *shard) flush(i int) {
	c := &s.clients[i]
	if len(c.out) > 0 && s.conns[i] != nil {
		s.conns[i].SetWriteDeadline(time.Now().Add(lingerFor))
		s.conns[i].Write(c.out)
		c.out = c.out[:0]
	}
}

// goodbye makes every client close in order, within a bounded time.
func (s *shard) goodbye() {
	for i, conn := range s.conns {
		if conn == nil {
			continue
		}
		c := &s.clients[i]
		orderly := c.phase == serving && !c.stalled
		c.phase = closing
		if !orderly {
			conn.SetReadDeadline(time.Now())
			continue
		}
		conn.SetReadDeadline(time.Now().Add(lingerFor))
		c.out = AppendFrame(c.out, opClose, []byte{1000 >> 8, 1000 & 0xff})
		s.flush(i)
	}
}
