package transport

import (
	"errors"
	"io"
	"sync"
	"time"
)

// stream carries a session whose bytes do not come from a bare descriptor:
// TLS, and every session on systems without an event loop. It has a goroutine
// that reads, and one that writes while there is something to write. To the
// loop it looks like a socket that takes up to streamBuffer bytes at a time.
type stream struct {
	nc   pipe
	loop *Loop

	// Static after begin.
	slot       int32
	generation uint32
	consumed   chan struct{} // the loop is done with what was read

	// Owned by the loop.
	busy   bool // a write is under way
	shutUp bool // our side is to be shut when it is over
}

// pipe is what a stream needs of a connection. Where it has CloseWrite, that
// ends our side alone.
type pipe interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
}

const streamBuffer = 32 << 10

var errNotDetachable = errors.New("not a plain TCP connection")

var streamBuffers = sync.Pool{New: func() any { return new([streamBuffer]byte) }}

func newStream(nc pipe, l *Loop) *stream {
	return &stream{nc: nc, loop: l, consumed: make(chan struct{}, 1)}
}

// begin starts reading for a conn.
func (s *stream) begin(l *Loop, c *conn) {
	s.slot, s.generation = c.slot, c.generation
	l.wg.Go(s.read)
}

// read hands what comes in to the loop, a piece at a time.
func (s *stream) read() {
	buf := make([]byte, 2048)
	for {
		n, err := s.nc.Read(buf)
		s.loop.do(func() { s.arrived(buf[:n], err) })
		select {
		case <-s.consumed:
		case <-s.loop.done:
			return
		}
		if err != nil {
			return
		}
	}
}

// arrived serves what was read. It runs on the loop.
func (s *stream) arrived(p []byte, err error) {
	defer func() { s.consumed <- struct{}{} }()
	c := s.loop.table.live(s.slot, s.generation)
	if c == nil || c.state == doomed {
		return
	}
	if len(p) > 0 {
		s.loop.received(c, p)
	}
	if err != nil {
		s.loop.doom(c)
	}
}

// write takes what it can and has it written. It runs on the loop.
func (s *stream) write(p []byte) int {
	if s.busy {
		return 0
	}
	s.busy = true
	buf := streamBuffers.Get().(*[streamBuffer]byte)
	n := copy(buf[:], p)
	s.loop.wg.Go(func() {
		_, err := s.nc.Write(buf[:n])
		streamBuffers.Put(buf)
		s.loop.do(func() { s.written(err) })
	})
	return n
}

// written goes on after a write. It runs on the loop.
func (s *stream) written(err error) {
	s.busy = false
	c := s.loop.table.live(s.slot, s.generation)
	switch {
	case c == nil || c.state == doomed:
	case err != nil:
		s.loop.doom(c)
	case s.shutUp:
		s.shut()
	default:
		s.loop.flush(c)
	}
}

// shut ends our side when all is written. It runs on the loop.
func (s *stream) shut() {
	if s.busy {
		s.shutUp = true
		return
	}
	s.shutUp = false
	if nc, ok := s.nc.(interface{ CloseWrite() error }); ok {
		s.busy = true
		s.loop.wg.Go(func() { _ = nc.CloseWrite() }) // TLS may wait in it
	}
}

// close lets go of the connection. It does not wait: TLS says good-bye.
func (s *stream) close() {
	_ = s.nc.SetDeadline(time.Now().Add(farewell))
	s.loop.wg.Go(func() { _ = s.nc.Close() })
}

// farewell bounds what TLS may take to say good-bye.
const farewell = time.Second
