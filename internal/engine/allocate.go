package engine

import "holdfast.dev/holdfast/internal/chanlog"

// Most messages are short. An entry and the room for its frame then are one
// piece of memory, of a size that the runtime has.
type (
	entry256 struct {
		chanlog.Entry
		room [256 - entrySize]byte
	}
	entry320 struct {
		chanlog.Entry
		room [320 - entrySize]byte
	}
	entry384 struct {
		chanlog.Entry
		room [384 - entrySize]byte
	}
	entry512 struct {
		chanlog.Entry
		room [512 - entrySize]byte
	}
)

// entrySize is the size of a chanlog.Entry on 64-bit systems.
const entrySize = 56

// allocate returns an entry and a buffer for up to n bytes of JSON behind
// head bytes.
func allocate(n int) (e *chanlog.Entry, buf []byte, head int) {
	head = briefHead
	if n >= briefFrame {
		head = frameHead
	}
	switch n += head; {
	case n <= 256-entrySize:
		e := new(entry256)
		return &e.Entry, e.room[:], head
	case n <= 320-entrySize:
		e := new(entry320)
		return &e.Entry, e.room[:], head
	case n <= 384-entrySize:
		e := new(entry384)
		return &e.Entry, e.room[:], head
	case n <= 512-entrySize:
		e := new(entry512)
		return &e.Entry, e.room[:], head
	}
	return new(chanlog.Entry), make([]byte, n), head
}
