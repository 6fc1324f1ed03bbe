package ws

import (
	"compress/flate"
	"io"
	"sync"
)

// deflateTail is what a sender cuts from a message's end (RFC 7692, section
// 7.2.1), and behind it an empty final block, so that inflating ends there.
const deflateTail = "\x00\x00\xff\xff" + "\x01\x00\x00\xff\xff"

const (
	window = 32 << 10 // how far back deflated data can refer

	// maxFinal bounds the final blocks in one message. More than one is
	// allowed (RFC 7692, section 7.2.1) and costs a copy of the window each.
	maxFinal = 16

	// minRead is the room that inflating begins with.
	minRead = 512

	// maxKept is the largest buffer that a pooled inflater keeps.
	maxKept = 64 << 10
)

// emitInflated inflates a whole compressed message and emits it.
func emitInflated(op Opcode, payload []byte, lim Limits, emit func(Message) error) error {
	f := inflaters.Get().(*inflater)
	defer f.release()
	data, err := f.inflate(payload, op == Text, lim)
	if err != nil {
		return err
	}
	return emit(Message{Op: op, Data: data})
}

var inflaters = sync.Pool{New: func() any {
	f := new(inflater)
	f.flate = flate.NewReader(&f.src)
	return f
}}

// inflater inflates one message at a time. It keeps nothing between messages.
type inflater struct {
	src   source
	flate io.ReadCloser // also a flate.Resetter
	out   []byte
}

// inflate returns the message that payload holds, at most lim.MaxMessage
// bytes, valid until release. It stops at the first piece that passes the
// limit or, for text, is not UTF-8.
func (f *inflater) inflate(payload []byte, text bool, lim Limits) ([]byte, error) {
	if len(payload) == 0 {
		return nil, nil
	}
	f.src = source{rest: payload}
	f.reset(nil)
	most := lim.MaxMessage + 1 // one byte more shows that the limit is passed
	checked, final := 0, 0
	for {
		if len(f.out) == cap(f.out) {
			f.out = grow(f.out, min(minRead, most-len(f.out)), most)
		}
		n, err := f.flate.Read(f.out[len(f.out):min(cap(f.out), most)])
		f.out = f.out[:len(f.out)+n]
		if len(f.out) > lim.MaxMessage {
			return nil, tooBig(lim)
		}
		if text {
			whole, ok := wholeRunes(f.out[checked:])
			if checked += whole; !ok || err == io.EOF && f.src.ended() && checked < len(f.out) {
				return nil, errNotUTF8()
			}
		}
		switch {
		case err == io.EOF && f.src.ended():
			return f.out, nil
		case err == io.EOF && f.src.tail == 0 && final < maxFinal:
			final++
			f.reset(f.out[max(0, len(f.out)-window):])
		case err != nil:
			return nil, fault(codeBadData, "compressed message does not inflate")
		}
	}
}

// reset begins a new run of blocks, which may refer back into dict.
func (f *inflater) reset(dict []byte) {
	// Reset of a reader that NewReader made does not fail.
	_ = f.flate.(flate.Resetter).Reset(&f.src, dict)
}

func (f *inflater) release() {
	f.src = source{}
	if cap(f.out) > maxKept {
		f.out = nil
	}
	f.out = f.out[:0]
	inflaters.Put(f)
}

// source gives the flate reader a message's payload and then deflateTail,
// never a byte more than it asks for.
type source struct {
	rest []byte
	tail int // bytes of deflateTail given
}

// ended reports whether the stream ended where a message may end: with the
// payload, in a final block, or with the whole tail.
func (s *source) ended() bool {
	return len(s.rest) == 0 && (s.tail == 0 || s.tail == len(deflateTail))
}

// ReadByte implements io.ByteReader, which keeps the flate reader from
// reading ahead.
func (s *source) ReadByte() (byte, error) {
	if len(s.rest) > 0 {
		c := s.rest[0]
		s.rest = s.rest[1:]
		return c, nil
	}
	if s.tail == len(deflateTail) {
		return 0, io.EOF
	}
	s.tail++
	return deflateTail[s.tail-1], nil
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if len(s.rest) > 0 {
		n := copy(p, s.rest)
		s.rest = s.rest[n:]
		return n, nil
	}
	if s.tail == len(deflateTail) {
		return 0, io.EOF
	}
	n := copy(p, deflateTail[s.tail:])
	s.tail += n
	return n, nil
}
