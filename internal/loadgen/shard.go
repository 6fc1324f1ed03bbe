package loadgen

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// phase is how far a client has come.
type phase uint8

const (
	waiting   phase = iota // not dialled yet, or refused and to be dialled again
	dialling               // connect is under way
	upgrading              // the request is sent, its answer not whole
	serving                // upgraded
	closing                // said goodbye, waits for the server's end
	gone                   // ended
)

// client is one WebSocket client. Its loop alone touches it.
type client struct {
	fd      int // of the socket, where the event loop serves it
	phase   phase
	stalled bool // stops reading when the fleet is told to stall
	awaited int  // answers until it is ready

	rest    []byte // the beginning of an unfinished frame or head
	held    []byte // what the dialect has not used yet
	partial []byte // the frames so far of a fragmented message
	out     []byte // what the socket did not take yet
	armed   bool   // told when the socket takes more
}

// errStalled ends a client that does not read, when its connection ends.
var errStalled = errors.New("closed by the server while not reading, on purpose")

// shard is a share of a fleet's clients with everything that is counted about
// them. All of it but counts is owned by one loop.
type shard struct {
	fleet   *Fleet
	first   int // number of its first client in the fleet
	lanes   int // channels per client
	clients []client
	queue   []int // clients to dial, last first
	busy    int   // clients dialling or upgrading
	open    int   // clients with a socket
	tally   tally
	latency Histogram
	sink    Sink
	counts  counts

	sought  uint64 // the number that passed is about
	passed  int    // the first so many clients have received it
	reached uint64 // the highest number known to have reached all

	stall     bool      // stalled clients do not read any more
	started   time.Time // when the loop began
	notBefore time.Time // no dialling until then

	platform
}

// counts is what other goroutines see of a shard while its loop runs.
type counts struct {
	ready     atomic.Int64
	failed    atomic.Int64 // never got ready, given up
	refused   atomic.Int64 // told by HTTP to come later, and dialled again
	ended     atomic.Int64 // were ready, and closed by the server
	delivered atomic.Uint64
	settled   atomic.Uint64 // messages delivered, or known to be lost
	reached   atomic.Uint64 // every client has received up to here, as far as was waited for
}

func newShard(f *Fleet, first, n int) *shard {
	s := &shard{fleet: f, first: first, lanes: f.opt.Lanes, clients: make([]client, n), tally: newTally(n * f.opt.Lanes)}
	s.sink.shard = s
	for i := range s.clients {
		s.clients[i] = client{fd: -1, stalled: first+i < f.opt.Stalled}
		s.queue = append(s.queue, n-1-i)
	}
	s.platform.init()
	return s
}

// stalling reports whether client i has stopped reading.
func (s *shard) stalling(i int) bool {
	return s.stall && s.clients[i].stalled && s.clients[i].phase == serving
}

// refusal is an HTTP answer other than 101.
type refusal struct{ status int }

func (r refusal) Error() string {
	return fmt.Sprintf("the server answered HTTP %d to the upgrade", r.status)
}

// later reports whether the server may accept the same request later.
func (r refusal) later() bool { return r.status == 429 || r.status == 503 }

// closed is the end of a connection that had been upgraded.
type closed struct{ code int }

func (c closed) Error() string { return fmt.Sprintf("closed by the server with code %d", c.code) }

// largest is the most bytes of one frame or message that a client takes.
const largest = 16 << 20

// feed takes what client i has received: what it left unused before and what
// came since. It returns how much was used. An error ends the client.
func (s *shard) feed(i int, p []byte, now int64) (used int, err error) {
	c := &s.clients[i]
	if c.phase == upgrading {
		if used, err = s.head(i, p); used == 0 || err != nil {
			return used, err
		}
	}
	s.sink.client, s.sink.now = i, now
	for {
		f, n, err := nextFrame(p[used:])
		if n == 0 || err != nil {
			return used, err
		}
		used += n
		if f.first == 0x80|opText || f.first == 0x80|opBinary {
			err = s.payload(c, f.payload)
		} else {
			err = s.unusual(c, f)
		}
		if err != nil {
			return used, err
		}
	}
}

// head reads the answer to the upgrade.
func (s *shard) head(i int, p []byte) (used int, err error) {
	end := bytes.Index(p, []byte("\r\n\r\n"))
	if end < 0 {
		if len(p) > 16<<10 {
			return 0, errors.New("the head of the answer to the upgrade is longer than 16 KiB")
		}
		return 0, nil
	}
	const version = "HTTP/1.1 "
	if end < len(version)+3 || string(p[:len(version)]) != version {
		return 0, fmt.Errorf("the answer to the upgrade is not HTTP/1.1: %.40q", p[:end])
	}
	status, err := strconv.Atoi(string(p[len(version) : len(version)+3]))
	if err != nil || status != 101 {
		return 0, refusal{status}
	}
	s.greet(i, s.fleet.opt.Dialect.Greeting)
	return end + 4, nil
}

// greet makes a client send frames and wait for their answers.
func (s *shard) greet(i int, greeting func(client int) ([]byte, int)) {
	c := &s.clients[i]
	if c.phase == upgrading {
		c.phase = serving
		s.busy--
	} else if c.awaited == 0 {
		s.counts.ready.Add(-1)
	}
	frames, answers := greeting(s.first + i)
	c.out = append(c.out, frames...)
	c.awaited = answers
	if answers == 0 {
		s.becomeReady()
	}
}

func (s *shard) answered(i int) {
	c := &s.clients[i]
	if c.awaited == 0 {
		return
	}
	if c.awaited--; c.awaited == 0 {
		s.becomeReady()
	}
}

func (s *shard) becomeReady() {
	s.counts.ready.Add(1)
	s.fleet.signal()
}

// frame is one frame as a server sends it.
type frame struct {
	first   byte // FIN, RSV and opcode
	payload []byte
}

// nextFrame reads the frame that p begins with; n is 0 when it is not whole.
func nextFrame(p []byte) (f frame, n int, err error) {
	if len(p) < 2 {
		return f, 0, nil
	}
	size, head := uint64(p[1]), 2
	switch {
	case size > 127:
		return f, 0, errors.New("the server masked a frame (RFC 6455, section 5.1)")
	case size == 126:
		if len(p) < 4 {
			return f, 0, nil
		}
		size, head = uint64(binary.BigEndian.Uint16(p[2:])), 4
	case size == 127:
		if len(p) < 10 {
			return f, 0, nil
		}
		size, head = binary.BigEndian.Uint64(p[2:]), 10
	}
	if size > largest {
		return f, 0, fmt.Errorf("the server sent a frame of %d bytes", size)
	}
	if n = head + int(size); len(p) < n {
		return f, 0, nil
	}
	return frame{p[0], p[head:n]}, n, nil
}

// payload hands the payload of one whole message to the dialect.
func (s *shard) payload(c *client, p []byte) error {
	if len(c.held) == 0 {
		if used := s.fleet.opt.Dialect.Decode(p, &s.sink); used < len(p) {
			c.held = append(c.held, p[used:]...)
		}
		return nil
	}
	c.held = append(c.held, p...)
	used := s.fleet.opt.Dialect.Decode(c.held, &s.sink)
	c.held = append(c.held[:0], c.held[used:]...)
	if len(c.held) > largest {
		return errors.New("the server's messages cannot be told apart")
	}
	return nil
}

// unusual takes every frame that is not a whole message.
func (s *shard) unusual(c *client, f frame) error {
	const fin, reserved = 0x80, 0x70
	if f.first&reserved != 0 {
		return errors.New("the server set a reserved bit (RFC 6455, section 5.2)")
	}
	switch f.first &^ fin {
	case opPing:
		c.out = AppendFrame(c.out, opPong, f.payload)
	case opPong:
	case opClose:
		code := 1005
		if len(f.payload) >= 2 {
			code = int(binary.BigEndian.Uint16(f.payload))
		}
		return closed{code}
	case opText, opBinary, opContinuation:
		c.partial = append(c.partial, f.payload...)
		if len(c.partial) > largest {
			return errors.New("the server sent a message over 16 MiB")
		}
		if f.first&fin != 0 {
			err := s.payload(c, c.partial)
			c.partial = c.partial[:0]
			return err
		}
	default:
		return fmt.Errorf("the server sent a frame of unknown kind %#x", f.first)
	}
	return nil
}
