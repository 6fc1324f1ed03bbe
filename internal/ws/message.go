package ws

import "strconv"

// Opcode says what a frame is (RFC 6455, section 5.2).
type Opcode uint8

// The opcodes of RFC 6455. All others are reserved and a fault.
const (
	Continuation Opcode = 0
	Text         Opcode = 1
	Binary       Opcode = 2
	Close        Opcode = 8
	Ping         Opcode = 9
	Pong         Opcode = 10
)

// String returns the opcode's name in RFC 6455.
func (op Opcode) String() string {
	switch op {
	case Continuation:
		return "continuation"
	case Text:
		return "text"
	case Binary:
		return "binary"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	}
	return "reserved opcode " + strconv.Itoa(int(op))
}

// control reports whether frames of this kind may stand between the fragments
// of a message (RFC 6455, section 5.5).
func (op Opcode) control() bool { return op&8 != 0 }

// Message is one whole message or control frame.
type Message struct {
	// Op is Text, Binary, Close, Ping or Pong.
	Op Opcode

	// Data is the unmasked and inflated payload. Text is valid UTF-8. Of a
	// Close it is the reason alone. Valid until emit returns.
	Data []byte

	// Code is the status of a Close, or 1005 when it carried none.
	Code uint16
}

// Limits says what a Reader accepts.
type Limits struct {
	// MaxMessage is the longest message, in bytes, after inflating and over
	// all its fragments. Longer ones are a fault 1009. Zero lets only empty
	// messages through, and no more than 1 GiB counts. Control frames have
	// their own limit of 125.
	MaxMessage int

	// Deflate says that permessage-deflate was agreed on.
	Deflate bool

	// Client says that this end is the client: frames must then be unmasked,
	// while a server demands a mask.
	Client bool
}

// maxMaxMessage is the highest limit that counts. Sums with it do not
// overflow an int of 32 bits.
const maxMaxMessage = 1 << 30

// maxDeflated returns the most bytes that a compressed message may take
// before it is inflated: the length of one that holds max incompressible
// bytes, packed by the least economical settings of zlib.
func (l Limits) maxDeflated() int { return l.MaxMessage + l.MaxMessage/8 + 64 }
