package chanlog

import "sync/atomic"

// Kind says what an entry is.
type Kind uint8

// The kinds of entries.
const (
	Message Kind = iota
	Gap          // messages before it are lost: it says so in their place
	Notice       // something that is told and not kept, such as who came and left
)

// Entry is one thing to be told in a log, a message nearly always. All but
// the link to its successor and the compressed form is fixed before it is
// appended.
type Entry struct {
	next     atomic.Pointer[Entry]
	deflated atomic.Pointer[[]byte]

	// Seq is its place in the channel.
	Seq uint64
	// At is when it was published, in Unix seconds.
	At uint32
	// Kind is what it is.
	Kind Kind
	// Head is how many bytes of Frame come before its JSON.
	Head uint8
	// Frame is what goes on the wire: a WebSocket frame. Never changed.
	Frame []byte
}

// JSON returns the entry without what surrounds it on the wire.
func (e *Entry) JSON() []byte { return e.Frame[e.Head:] }

// Next returns the entry behind e, or nil while e is the newest.
func (e *Entry) Next() *Entry { return e.next.Load() }

// Link makes n the entry behind e. It may be called again with the same n.
func (e *Entry) Link(n *Entry) { e.next.Store(n) }

// Deflated returns the compressed form of the frame. The first caller makes
// it, by compress; where compress returns nil, the plain frame is kept.
// Callers on several goroutines get the same bytes.
func (e *Entry) Deflated(compress func(frame []byte) []byte) []byte {
	if p := e.deflated.Load(); p != nil {
		return *p
	}
	made := compress(e.Frame)
	if made == nil {
		made = e.Frame
	}
	if e.deflated.CompareAndSwap(nil, &made) {
		return made
	}
	return *e.deflated.Load()
}
