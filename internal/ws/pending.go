package ws

// Pending returns bytes that put a fresh Reader, used with the same limits,
// into the state that r is in: what the other end has sent of a frame or
// message that is not whole, nil between messages. Fed to it, they emit
// nothing. So a connection can go on in another process.
func (r *Reader) Pending(lim Limits) []byte {
	if !r.Unfinished() {
		return nil
	}
	s := r.s
	var p []byte
	control := s.inFrame && s.frame.op.control()
	before := s.buf // what whole frames have brought of the message
	if s.inFrame && !control {
		before = s.buf[:len(s.buf)-s.got]
	}
	if s.inMessage() && !(s.inFrame && !control && s.frame.op != Continuation) {
		p = appendAgain(p, header{op: s.op, compressed: s.compressed, n: len(before)}, lim, before)
	}
	switch {
	case control:
		p = appendAgain(p, s.frame, lim, s.control[:s.got])
	case s.inFrame:
		p = appendAgain(p, s.frame, lim, s.buf[len(before):])
	}
	return append(p, s.head[:s.headLen]...)
}

// appendAgain appends a frame as it came: its header, and the payload that
// there is of it, masked again.
func appendAgain(dst []byte, h header, lim Limits, payload []byte) []byte {
	mask := byte(bitMask)
	if lim.Client {
		mask = 0
	}
	at := len(dst)
	dst = appendHeader(dst, h.op, h.compressed, mask, h.n)
	if !h.fin {
		dst[at] &^= bitFin
	}
	if mask != 0 {
		dst = append(dst, h.key[:]...)
	}
	at = len(dst)
	dst = append(dst, payload...)
	xor(dst[at:], h.key, 0)
	return dst
}
