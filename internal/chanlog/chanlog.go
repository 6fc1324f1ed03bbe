// Package chanlog is one channel's log: its messages, linked oldest to
// newest, each encoded once for everybody who gets it.
//
// The log is the queue. To publish is to append an entry; to deliver is to
// walk from an entry to its Next and write what lies between. A reader
// that falls behind holds nothing but the entry it stopped at, and the
// garbage collector lets go of what no reader needs.
//
// The package starts no goroutine, reads no clock and takes no lock. Appends
// must be serialised by the caller; entries may be read by any number of
// goroutines while others are appended.
package chanlog

import "sync/atomic"

// Entry is one message in a log. All but the link to its successor and the
// compressed form is fixed before it is appended.
type Entry struct {
	next     atomic.Pointer[Entry]
	deflated atomic.Pointer[[]byte]

	// Seq is the message's place in its channel.
	Seq uint64
	// End counts the bytes of all frames of the log up to and with this one:
	// the difference of two Ends is what lies between them.
	End uint64
	// Frame is the message as it goes on the wire. Never changed.
	Frame []byte
}

// Next returns the entry behind e, or nil while e is the newest.
func (e *Entry) Next() *Entry { return e.next.Load() }

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

// Log is the end of a channel's chain of entries. The zero value is an empty
// log.
type Log struct {
	tail *Entry // newest entry while somebody may still have to walk to the next one
	last uint64 // seq of the newest message
	end  uint64 // bytes appended in all
}

// Append puts e at the end. Its Seq must be higher than Last.
func (l *Log) Append(e *Entry) {
	l.last = e.Seq
	l.end += uint64(len(e.Frame))
	e.End = l.end
	if l.tail != nil {
		l.tail.next.Store(e)
	}
	l.tail = e
}

// Start says where an empty log begins: messages up to seq happened before.
func (l *Log) Start(seq uint64) { l.last = max(l.last, seq) }

// Tail returns the newest entry, or nil when the log holds none.
func (l *Log) Tail() *Entry { return l.tail }

// Last returns the seq of the newest message ever appended.
func (l *Log) Last() uint64 { return l.last }

// Forget lets go of all entries. Nobody may hold one that he means to walk
// on from: later entries are not linked to it.
func (l *Log) Forget() { l.tail = nil }
