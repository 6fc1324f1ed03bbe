package ws

import (
	"encoding/binary"
	"fmt"
)

// The layout of a frame's header (RFC 6455, section 5.2).
const (
	bitFin  = 0x80
	bitRSV1 = 0x40 // compressed, on a message's first frame (RFC 7692, section 6)
	bitsRSV = 0x70
	bitMask = 0x80

	length16 = 126 // the length follows in 2 bytes
	length64 = 127 // the length follows in 8 bytes

	maxHeader  = 14
	maxControl = 125
)

// header is a frame's header that passed every check.
type header struct {
	op         Opcode
	fin        bool
	compressed bool    // first frame of a compressed message
	key        [4]byte // zero when unmasked
	n          int     // payload bytes, within the limit
}

// parseHeader reads the header at the start of b, for a Reader in state s.
// It returns size 0 when b does not hold all of it yet. Each check needs only
// the bytes up to the field that it is about, and they run in one order, so a
// fault is the same one however the bytes arrive.
func parseHeader(b []byte, s *unfinished, lim Limits) (h header, size int, err error) {
	first := b[0]
	h = header{op: Opcode(first & 0x0f), fin: first&bitFin != 0}
	if err := h.checkFirst(first, lim); err != nil {
		return h, 0, err
	}
	if len(b) < 2 {
		return h, 0, nil
	}
	if err := h.checkSecond(b[1], s.inMessage(), lim); err != nil {
		return h, 0, err
	}
	size, n, err := parseLength(b)
	if size == 0 || err != nil {
		return h, 0, err
	}
	if err := h.checkLimit(n, s, lim); err != nil {
		return h, 0, err
	}
	h.n = int(n)
	if lim.Client {
		return h, size, nil
	}
	if len(b) < size+len(h.key) {
		return h, 0, nil
	}
	copy(h.key[:], b[size:])
	return h, size + len(h.key), nil
}

// checkFirst checks RSV, the opcode, and that a control frame is final.
func (h *header) checkFirst(first byte, lim Limits) error {
	h.compressed = first&bitsRSV == bitRSV1 && lim.Deflate && (h.op == Text || h.op == Binary)
	if first&bitsRSV != 0 && !h.compressed {
		return fault(codeProtocol, fmt.Sprintf("reserved bits %03b set on a %v frame", first&bitsRSV>>4, h.op))
	}
	switch h.op {
	case Continuation, Text, Binary, Close, Ping, Pong:
	default:
		return fault(codeProtocol, h.op.String())
	}
	if h.op.control() && !h.fin {
		return fault(codeProtocol, fmt.Sprintf("fragmented %v frame", h.op))
	}
	return nil
}

// checkSecond checks a control frame's length, the mask bit, and that a
// message's fragments follow one another.
func (h *header) checkSecond(second byte, inMessage bool, lim Limits) error {
	switch masked := second&bitMask != 0; {
	case h.op.control() && second&^bitMask > maxControl:
		return fault(codeProtocol, fmt.Sprintf("%v frame over %d bytes", h.op, maxControl))
	case !masked && !lim.Client:
		return fault(codeProtocol, "unmasked frame from a client")
	case masked && lim.Client:
		return fault(codeProtocol, "masked frame from a server")
	case h.op == Continuation && !inMessage:
		return fault(codeProtocol, "continuation frame, but no message has begun")
	case !h.op.control() && h.op != Continuation && inMessage:
		return fault(codeProtocol, fmt.Sprintf("%v frame inside an unfinished message", h.op))
	}
	return nil
}

// parseLength reads the payload length, which must be in its shortest form
// and without the top bit. It returns the header's size up to there, or 0
// when bytes are missing.
func parseLength(b []byte) (size int, n uint64, err error) {
	least := uint64(0)
	switch n = uint64(b[1] &^ bitMask); {
	case n == length16 && len(b) >= 4:
		size, n, least = 4, uint64(binary.BigEndian.Uint16(b[2:])), length16
	case n == length64 && len(b) >= 10:
		size, n, least = 10, binary.BigEndian.Uint64(b[2:]), 1<<16
	case n < length16:
		size = 2
	default:
		return 0, 0, nil
	}
	if n < least {
		return 0, 0, fault(codeProtocol, fmt.Sprintf("length %d in a longer form than it needs", n))
	}
	if n>>63 != 0 {
		return 0, 0, fault(codeProtocol, "frame length with the top bit set")
	}
	return size, n, nil
}

// checkLimit checks that the message stays within the limit with a frame of n
// more bytes.
func (h *header) checkLimit(n uint64, s *unfinished, lim Limits) error {
	if h.op.control() {
		return nil
	}
	limit, held := lim.MaxMessage, 0
	if s.inMessage() {
		held = len(s.buf)
	}
	if h.compressed || s.inMessage() && s.compressed {
		limit = lim.maxDeflated()
	}
	if n > uint64(max(0, limit-held)) {
		return tooBig(lim)
	}
	return nil
}

func tooBig(lim Limits) error {
	return fault(codeTooBig, fmt.Sprintf("message over %d bytes", lim.MaxMessage))
}
