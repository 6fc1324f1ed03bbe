package httpapi

import (
	"bytes"
	"strconv"
	"sync/atomic"
)

// framing follows the requests on one connection closely enough to tell
// where each begins and ends, and remembers what net/http hides from its
// handlers: that a request had a Transfer-Encoding, and that it was framed in
// a way that two readers could take for two different things (RFC 9112,
// section 11.2). It is stricter than net/http: folded header lines and a
// Content-Length that is not plain digits count as ambiguous.
//
// It does not follow chunked bodies. What comes behind one is never taken
// for a request, because the connection is closed with the answer.
type framing struct {
	// Owned by the reader of the connection.
	phase  phase
	left   int64 // bytes of the body still to come
	line   [64]byte
	n      int  // bytes of line kept
	cut    bool // the line is longer than that
	length int64
	sized  bool // the request has a Content-Length

	// Read by handlers.
	coded     atomic.Bool // a request had a Transfer-Encoding
	ambiguous atomic.Bool // a request could be read in two ways
}

type phase uint8

const (
	atRequest phase = iota // before or in a request line
	inHeader
	inBody
	lost // nothing more is to be followed
)

// see follows the next bytes of the connection.
func (f *framing) see(p []byte) {
	for len(p) > 0 {
		switch f.phase {
		case lost:
			return
		case inBody:
			n := min(int64(len(p)), f.left)
			p = p[n:]
			if f.left -= n; f.left == 0 {
				f.phase = atRequest
			}
		default:
			i := bytes.IndexByte(p, '\n')
			if i < 0 {
				f.keep(p)
				return
			}
			f.keep(p[:i])
			p = p[i+1:]
			f.endLine()
		}
	}
}

func (f *framing) keep(p []byte) {
	n := copy(f.line[f.n:], p)
	f.n += n
	f.cut = f.cut || n < len(p)
}

func (f *framing) endLine() {
	line, cut := f.line[:f.n], f.cut
	f.n, f.cut = 0, false
	if !cut {
		line = bytes.TrimSuffix(line, []byte{'\r'})
	}
	switch {
	case len(line) == 0 && f.phase == atRequest: // empty lines may stand before a request
	case len(line) == 0:
		f.endHeader()
	case f.phase == atRequest:
		f.phase, f.length, f.sized = inHeader, 0, false
	case line[0] == ' ' || line[0] == '\t':
		f.ambiguous.Store(true)
	default:
		f.field(line, cut)
	}
}

func (f *framing) field(line []byte, cut bool) {
	name, value, _ := bytes.Cut(line, []byte{':'})
	switch {
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		f.coded.Store(true)
	case bytes.EqualFold(name, []byte("Content-Length")):
		value = bytes.Trim(value, " \t")
		length, err := strconv.ParseUint(string(value), 10, 63)
		if err != nil || cut || f.sized && int64(length) != f.length {
			f.ambiguous.Store(true)
		}
		f.length, f.sized = int64(length), true
	}
}

func (f *framing) endHeader() {
	switch {
	case f.coded.Load():
		if f.sized {
			f.ambiguous.Store(true)
		}
		f.phase = lost
	case f.ambiguous.Load():
		f.phase = lost
	case f.length > 0:
		f.phase, f.left = inBody, f.length
	default:
		f.phase = atRequest
	}
}
