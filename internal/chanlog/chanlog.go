package chanlog

import "sort"

// Log is what a channel still holds of its messages: its history. The zero
// value is an empty log.
type Log struct {
	oldest, tail *Entry // of those held; nil when none is
	count        int32
	unmarked     int32 // entries since the last mark
	bytes        int
	last         uint64   // seq of the newest entry ever
	gone         uint64   // seq of the newest one that is not held any more
	marks        []*Entry // every stride-th entry, oldest first, to find a place by
	drafts       *drafts  // what is held behind tail and has no entry yet; nil when nothing is
}

// stride is how many entries stand between two marks.
const stride = 64

// Append puts e at the end. Its Seq must be higher than Last.
func (l *Log) Append(e *Entry) {
	l.Make()
	l.append(e)
}

func (l *Log) append(e *Entry) {
	if l.tail != nil {
		l.tail.Link(e)
	} else {
		l.oldest = e
	}
	l.tail, l.last = e, e.Seq
	l.count++
	l.bytes += len(e.Frame)
	if l.unmarked++; l.unmarked == stride {
		l.unmarked = 0
		l.marks = append(l.marks, e)
	}
}

// Skip notes that everything up to seq happened and is not held.
func (l *Log) Skip(seq uint64) {
	l.last, l.gone = max(l.last, seq), max(l.gone, seq)
}

// Dropped is what is left to be said of an entry that a log let go of.
type Dropped struct {
	Seq   uint64
	Kind  Kind
	Frame int // its length
}

// Drop lets go of the oldest entry, of which there must be one. Readers that
// stand at it can walk on, as far as it was linked before.
func (l *Log) Drop() Dropped {
	if l.count == 0 {
		return l.dropDraft()
	}
	e := l.oldest
	l.gone = max(l.gone, e.Seq)
	l.count--
	l.bytes -= len(e.Frame)
	if len(l.marks) > 0 && l.marks[0] == e {
		l.marks[0] = nil
		l.marks = l.marks[1:]
	}
	if l.oldest = e.Next(); l.count == 0 {
		l.oldest, l.tail, l.marks, l.unmarked = nil, nil, nil, 0
	}
	return Dropped{e.Seq, e.Kind, len(e.Frame)}
}

func (l *Log) dropDraft() Dropped {
	d := l.drafts.pop()
	l.gone = max(l.gone, d.seq)
	if l.drafts.count == 0 {
		l.drafts = nil
	}
	return Dropped{d.seq, Message, d.frame}
}

// Front returns the seq of the oldest entry held, and when it was published in
// Unix seconds; ok is false when there is none.
func (l *Log) Front() (seq uint64, at uint32, ok bool) {
	switch {
	case l.count > 0:
		return l.oldest.Seq, l.oldest.At, true
	case l.drafts != nil:
		d := l.drafts.front()
		return d.seq, uint32(d.at / 1e9), true
	}
	return 0, 0, false
}

// Oldest returns the oldest entry held, or nil.
func (l *Log) Oldest() *Entry {
	l.Make()
	return l.oldest
}

// Tail returns the newest entry held, or nil.
func (l *Log) Tail() *Entry {
	l.Make()
	return l.tail
}

// Last returns the seq of the newest entry ever, held or not.
func (l *Log) Last() uint64 { return l.last }

// Gone returns the seq of the newest entry that is not held any more, 0 when
// all are.
func (l *Log) Gone() uint64 { return l.gone }

// Len returns how many entries are held.
func (l *Log) Len() int { return int(l.count) + l.Drafts() }

// Bytes returns the length of all frames held.
func (l *Log) Bytes() int {
	if l.drafts != nil {
		return l.bytes + l.drafts.bytes
	}
	return l.bytes
}

// After returns the first entry held whose seq is higher than seq, nil when
// there is none, and whether all such entries are held.
func (l *Log) After(seq uint64) (first *Entry, complete bool) {
	complete = seq >= l.gone
	l.Make()
	if l.oldest == nil || seq >= l.last {
		return nil, complete
	}
	e := l.oldest
	if i := sort.Search(len(l.marks), func(i int) bool { return l.marks[i].Seq > seq }); i > 0 {
		e = l.marks[i-1]
	}
	for e.Seq <= seq {
		e = e.Next()
	}
	return e, complete
}

// Newest returns the entry from which on n are held, or all when there are
// fewer; nil when there is none.
func (l *Log) Newest(n int) *Entry {
	if n <= 0 {
		return nil
	}
	l.Make()
	skip := int(l.count) - n
	e := l.oldest
	if m := int(l.count-l.unmarked) - stride*len(l.marks); len(l.marks) > 0 && skip > m+stride {
		// Mark i is preceded by m+stride*(i+1)-1 entries.
		i := min((skip+1-m)/stride-1, len(l.marks)-1)
		e, skip = l.marks[i], skip-(m+stride*(i+1)-1)
	}
	for ; skip > 0; skip-- {
		e = e.Next()
	}
	return e
}
