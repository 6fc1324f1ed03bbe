package transport

import (
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// conn is one client's place on a loop: its socket, its timer and its
// session. It is owned by the loop.
type conn struct {
	session session.Session
	out     *outbox // what the socket would not take; nil while caught up, but for clients of events
	stream  *stream // carries the bytes where there is no bare descriptor
	fd      int32   // -1 with a stream
	slot    int32

	code       wire.CloseCode // why it ends, once it does
	generation uint32         // of the slot: tells a late event for an earlier conn
	timer      timer
	heard      tick // when the client was last heard from
	begun      tick // when its unfinished message began; 0 without one

	state   state
	writing bool   // the poller watches for room to write
	told    uint8  // the mark of the last notice
	invited bool   // that notice named a moment to move
	waits   uint16 // answers that are under way from elsewhere
}

// state is how far a conn's life has gone. It only moves forward.
type state uint8

const (
	free      state = iota
	open            // full service
	closing         // no service; what is due is being flushed, then the close frame
	lingering       // our side is shut; waiting for the client's
	doomed          // the descriptor is closed at the end of the round
)

// write hands bytes to the socket. n < len(p) without an error means that it
// would block.
func (c *conn) write(p []byte) (n int, err error) {
	if c.stream != nil {
		return c.stream.write(p), nil
	}
	return send(c.fd, p)
}

// shut ends our side of the connection.
func (c *conn) shut() {
	if c.stream != nil {
		c.stream.shut()
		return
	}
	shutdown(c.fd)
}

// transportName is what operators see.
func (c *conn) transportName() string {
	if c.events() != nil {
		return "sse"
	}
	if c.stream != nil {
		return "stream"
	}
	return "loop"
}
