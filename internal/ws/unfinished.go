package ws

// unfinished is what a Reader keeps of a frame or message that is not whole,
// or why it takes no more.
type unfinished struct {
	end error // why the Reader has ended; the rest is then empty

	// A header that is not whole.
	headLen int
	head    [maxHeader]byte

	// The frame whose payload is not whole.
	inFrame bool
	frame   header
	got     int              // bytes of its payload so far
	control [maxControl]byte // those of a control frame

	// The message that is not whole.
	op         Opcode // of its first frame; Continuation when there is none
	compressed bool
	buf        []byte // unmasked, not inflated
	checked    int    // bytes of buf that are whole runes of UTF-8
}

// unfinishedSize is the size of an unfinished in bytes.
const unfinishedSize = 224

// inMessage reports whether a message's first frame has begun.
func (s *unfinished) inMessage() bool { return s != nil && s.op != Continuation }

// keepHead keeps a header that is not whole.
func (r *Reader) keepHead(p []byte) {
	if r.s == nil {
		r.s = new(unfinished)
	}
	r.s.headLen = copy(r.s.head[:], p)
}

// begin prepares for a frame whose payload does not follow whole, or that
// belongs to a fragmented message.
func (r *Reader) begin(h header) {
	if r.s == nil {
		r.s = new(unfinished)
	}
	s := r.s
	s.inFrame, s.frame, s.got = true, h, 0
	if !h.op.control() && h.op != Continuation {
		s.op, s.compressed = h.op, h.compressed
	}
}

// take adds the bytes of p, which all belong to the payload of the frame that
// has begun, and emits what is whole with them.
func (r *Reader) take(p []byte, lim Limits, emit func(Message) error) error {
	s := r.s
	xor(p, s.frame.key, s.got)
	if s.frame.op.control() {
		copy(s.control[s.got:], p)
	} else if err := s.add(p, lim); err != nil {
		return err
	}
	s.got += len(p)
	if s.got < s.frame.n {
		return nil
	}
	s.inFrame = false
	switch {
	case s.frame.op.control():
		if !s.inMessage() {
			r.s = nil
		}
		return r.whole(s.frame, s.control[:s.frame.n], lim, emit)
	case s.frame.fin:
		r.s = nil
		return s.finish(lim, emit)
	}
	return nil
}

// add appends unmasked bytes to the message and checks its text so far.
func (s *unfinished) add(p []byte, lim Limits) error {
	most := lim.MaxMessage
	if s.compressed {
		most = lim.maxDeflated()
	}
	if s.frame.fin {
		most = len(s.buf) + s.frame.n - s.got
	}
	s.buf = grow(s.buf, len(p), most)
	s.buf = append(s.buf, p...)
	if s.op != Text || s.compressed {
		return nil
	}
	n, ok := wholeRunes(s.buf[s.checked:])
	if !ok {
		return errNotUTF8()
	}
	s.checked += n
	return nil
}

// finish emits the message, which is whole.
func (s *unfinished) finish(lim Limits, emit func(Message) error) error {
	if s.compressed {
		return emitInflated(s.op, s.buf, lim, emit)
	}
	if s.op == Text && s.checked < len(s.buf) {
		return errNotUTF8()
	}
	return emit(Message{Op: s.op, Data: s.buf})
}

// grow returns b with room for n more bytes: what has arrived or twice the
// room it had, whichever is more, but no more than it can ever need.
func grow(b []byte, n, most int) []byte {
	need := len(b) + n
	if need <= cap(b) {
		return b
	}
	bigger := make([]byte, len(b), max(need, min(2*cap(b), most)))
	copy(bigger, b)
	return bigger
}
