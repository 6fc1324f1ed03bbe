package ledger

import (
	"strings"
	"sync"

	"holdfast.dev/holdfast/internal/chanlog"
)

// What an entry and a record take beside the frame, as HistoryBytes counts
// it: about what the runtime allocates.
const (
	entryBytes  = 96
	recordBytes = 224
)

// record is a channel that holds messages, or that somebody listens to and
// that held some. There may be hundreds of thousands: every field counts.
type record struct {
	name  string
	log   chanlog.Log
	fresh uint64 // seq of the oldest entry held that was not collected; 0 when there is none
	class uint16 // which of the ledger's rules it follows
	gaps  uint16 // entries held that are no messages
	due   bool   // it stands in its class's queue
	dirty bool   // it stands among the shard's changed records
	gone  bool   // it was given back
}

// shard has the channels that hash to it.
type shard struct {
	// Static after init.
	ledger *Ledger
	index  int

	mu sync.Mutex

	// Guarded by mu.
	seq     uint64 // the highest given out
	limit   uint64 // the highest that Publish may give out
	top     uint64 // up to this one, all messages are in the logs or will never be
	lost    uint64 // up to this one, a restart may have lost messages
	records map[string]*record
	memo    memo
	classes []class // one for each rule
	keys    keyring
	pending []*Pending       // ordered and not visible yet, the oldest first
	held    map[Sum]*Pending // those with a key
	noting  bool             // changes are noted
	changes changes
	freed   Evicted
	tap     Tap // who is told what is appended; nil for nobody
}

func (s *shard) init(l *Ledger, index int) {
	s.ledger, s.index, s.noting = l, index, l.changed != nil
	s.records = make(map[string]*record)
	s.classes = make([]class, len(l.rules))
	for i, r := range l.rules {
		s.classes[i].init(r.Keep)
	}
	l.oldest[index].Store(never)
}

// open makes the record of a channel that has none. The caller holds mu.
func (s *shard) open(channel string) *record {
	r := &record{name: strings.Clone(channel), class: uint16(s.ledger.match.index(channel))}
	if gone := s.memo.take(hash(channel)); gone > 0 {
		r.log.Skip(gone)
	}
	s.records[r.name] = r
	s.ledger.bytes.Add(recordBytes)
	return r
}

// forget gives back the record of a channel that holds nothing. The caller
// holds mu.
func (s *shard) forget(r *record) {
	r.gone = true
	delete(s.records, r.name)
	s.memo.note(hash(r.name), r.log.Last())
	s.touch(r)
	s.ledger.bytes.Add(-recordBytes)
}

// keep appends an entry to a record's log and trims that. The caller holds
// mu.
func (s *shard) keep(r *record, e *chanlog.Entry, stored bool) {
	if s.classes[r.class].Messages == 0 {
		s.pass(r, e.Seq, e.At)
		return
	}
	r.log.Append(e)
	if e.Kind == chanlog.Gap {
		r.gaps++
	}
	s.came(r, e.Seq, e.At, len(e.Frame), stored)
}

// pass notes an entry of a channel that keeps nothing. The caller holds mu.
func (s *shard) pass(r *record, seq uint64, at uint32) {
	r.log.Skip(seq)
	s.touch(r)
	s.enqueue(r, at)
}

// came notes that an entry was appended to a record's log, and trims that. The
// caller holds mu.
func (s *shard) came(r *record, seq uint64, at uint32, frame int, stored bool) {
	c := &s.classes[r.class]
	grown := int64(frame + entryBytes)
	if !stored {
		if r.fresh == 0 {
			r.fresh = seq
		}
		s.touch(r)
	}
	for n := r.log.Len(); n-int(r.gaps) > c.Messages || n > 2*c.Messages; n = r.log.Len() {
		grown -= s.drop(r)
		s.freed.Count++
	}
	for c.Bytes > 0 && r.log.Bytes() > c.Bytes {
		grown -= s.drop(r)
		s.freed.Bytes++
	}
	if grown != 0 {
		s.ledger.bytes.Add(grown)
	}
	s.enqueue(r, at)
}

// drop lets go of a record's oldest entry and returns what that frees. The
// caller holds mu, and sees to the count of bytes.
func (s *shard) drop(r *record) int64 {
	e := r.log.Drop()
	if e.Kind == chanlog.Gap {
		r.gaps--
	}
	if r.fresh == e.Seq {
		r.fresh, _, _ = r.log.Front()
	}
	s.touch(r)
	return int64(e.Frame + entryBytes)
}
