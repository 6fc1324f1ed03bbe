package ws

import (
	"errors"
	"unicode/utf8"
)

// Reader turns the bytes of one connection into messages, whatever the pieces
// in which they arrive. The zero value is ready. It holds memory only while a
// frame or message is unfinished. Not for concurrent use.
type Reader struct {
	s *unfinished // nil between messages
}

// errClosed marks a Reader that has seen a Close.
var errClosed = errors.New("ws: closed")

// Feed takes the bytes that arrived and calls emit for each message and
// control frame that is whole with them, in order. It may unmask p in place.
// A frame that lies wholly in p is emitted from there without allocation,
// unless it belongs to a fragmented message.
//
// It returns a *[CloseError] when the other end broke the protocol or a
// limit, or emit's own error; either ends the Reader, and later calls return
// the same error. After a Close is emitted, all further bytes are ignored
// (RFC 6455, section 1.4). The limits must be the same in every call. Emit
// must not call Feed of the same Reader.
func (r *Reader) Feed(p []byte, lim Limits, emit func(Message) error) error {
	lim.MaxMessage = min(max(lim.MaxMessage, 0), maxMaxMessage)
	var err error
	if r.s != nil {
		err = r.s.end
	}
	for len(p) > 0 && err == nil {
		if p, err = r.step(p, lim, emit); err != nil {
			r.s = &unfinished{end: err}
		}
	}
	if err == errClosed {
		return nil
	}
	return err
}

// Held returns the bytes of memory that the Reader keeps for an unfinished
// frame or message: 0 when there is none.
func (r *Reader) Held() int {
	if !r.Unfinished() {
		return 0
	}
	return unfinishedSize + cap(r.s.buf)
}

// Unfinished reports whether a frame or message has begun and is not whole.
func (r *Reader) Unfinished() bool { return r.s != nil && r.s.end == nil }

// step takes at most one frame from p and returns the bytes behind it.
func (r *Reader) step(p []byte, lim Limits, emit func(Message) error) ([]byte, error) {
	if r.s != nil && r.s.inFrame {
		n := min(len(p), r.s.frame.n-r.s.got)
		return p[n:], r.take(p[:n], lim, emit)
	}
	h, size, err := r.header(p, lim)
	if err != nil || size == 0 {
		return nil, err
	}
	p = p[size:]
	if len(p) >= h.n && (h.op.control() || h.fin && h.op != Continuation) {
		payload := p[:h.n:h.n]
		xor(payload, h.key, 0)
		return p[h.n:], r.whole(h, payload, lim, emit)
	}
	r.begin(h)
	n := min(len(p), h.n)
	return p[n:], r.take(p[:n], lim, emit)
}

// header reads a frame's header from the bytes kept of it and p. It returns
// how many bytes of p belong to it, or 0 when it is not whole; p is then kept.
func (r *Reader) header(p []byte, lim Limits) (h header, size int, err error) {
	kept := 0
	if r.s != nil {
		kept = r.s.headLen
	}
	if kept == 0 {
		h, size, err = parseHeader(p, r.s, lim)
		if size == 0 && err == nil {
			r.keepHead(p)
		}
		return h, size, err
	}
	n := copy(r.s.head[kept:], p)
	h, size, err = parseHeader(r.s.head[:kept+n], r.s, lim)
	if size == 0 || err != nil {
		r.s.headLen += n
		return h, 0, err
	}
	r.s.headLen = 0
	if !r.s.inMessage() {
		r.s = nil
	}
	return h, size - kept, nil
}

// whole handles a control frame, or a message of one frame, whose unmasked
// payload is all there.
func (r *Reader) whole(h header, payload []byte, lim Limits, emit func(Message) error) error {
	if h.op == Close {
		m, err := parseClose(payload)
		if err == nil {
			r.s = nil
			err = emit(m)
		}
		if err == nil {
			err = errClosed
		}
		return err
	}
	if h.compressed {
		return emitInflated(h.op, payload, lim, emit)
	}
	if h.op == Text && !utf8.Valid(payload) {
		return errNotUTF8()
	}
	return emit(Message{Op: h.op, Data: payload})
}

func errNotUTF8() error { return fault(codeBadData, "text message is not UTF-8") }
