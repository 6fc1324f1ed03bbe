package ledger

import "maps"

// notes is how many channels a generation of a memo's notes holds.
const notes = 2048

// memo is what a shard knows of channels that it has no record of: up to
// which seq messages of theirs may be gone. Channels stand in it by their
// hash.
type memo struct {
	pinned   map[uint64]uint64 // of those that are attached
	young    map[uint64]uint64 // of the newest that were given back
	old      map[uint64]uint64 // of those before them
	youngTop uint64            // highest seq in young
	oldTop   uint64            // highest seq in old
	below    uint64            // for all others
}

// floor returns the seq up to which messages of a channel may be gone.
func (m *memo) floor(h uint64) uint64 {
	for _, known := range [...]map[uint64]uint64{m.pinned, m.young, m.old} {
		if seq, ok := known[h]; ok {
			return seq
		}
	}
	return m.below
}

// pin keeps what is known of a channel while somebody listens to it.
func (m *memo) pin(h uint64) {
	if _, ok := m.pinned[h]; ok {
		return
	}
	if m.pinned == nil {
		m.pinned = make(map[uint64]uint64)
	}
	m.pinned[h] = m.floor(h)
}

// unpin undoes pin.
func (m *memo) unpin(h uint64) {
	if seq, ok := m.pinned[h]; ok {
		delete(m.pinned, h)
		m.note(h, seq)
	}
}

// note remembers that messages of a channel up to seq are gone. The oldest
// notes make room: what they say then goes for every channel not noted.
func (m *memo) note(h, seq uint64) {
	if len(m.young) == notes {
		m.below = max(m.below, m.oldTop)
		m.old, m.oldTop = m.young, m.youngTop
		m.young, m.youngTop = nil, 0
	}
	if m.young == nil {
		m.young = make(map[uint64]uint64)
	}
	m.young[h] = max(m.young[h], seq)
	m.youngTop = max(m.youngTop, seq)
}

// take returns the floor of a channel that gets a record, and unpins it.
func (m *memo) take(h uint64) uint64 {
	seq := m.floor(h)
	delete(m.pinned, h)
	return seq
}

// top returns the highest seq of a message that is gone with its record.
func (m *memo) top() uint64 { return max(m.below, m.youngTop, m.oldTop) }

// Notes are what a shard knows of channels without a record.
type Notes struct {
	// Channels says of single channels, by the hash of their names, up to
	// which seq messages of them may be gone.
	Channels map[uint64]uint64
	// Below says it of all others.
	Below uint64
}

// Notes returns what a shard knows of channels that hold nothing, those with a
// record among them. A journal may store it when nothing happens any more and
// hand it in at the next start: it spares those who come back to quiet
// channels a gap that is none.
func (l *Ledger) Notes(shard int) Notes {
	s := &l.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.notes()
	for _, r := range s.records {
		if r.log.Len() == 0 {
			n.Channels[hash(r.name)] = r.log.Gone()
		}
	}
	return n
}

// notes returns what a shard knows of channels without a record. The caller
// holds mu.
func (s *shard) notes() Notes {
	m := &s.memo
	n := Notes{Channels: make(map[uint64]uint64, len(m.pinned)+len(m.young)+len(m.old)), Below: m.below}
	for _, known := range [...]map[uint64]uint64{m.old, m.young, m.pinned} {
		maps.Copy(n.Channels, known)
	}
	return n
}

// restore takes over notes. They all count as old, however many there are.
func (m *memo) restore(n Notes) {
	m.below, m.old = n.Below, n.Channels
	for _, seq := range n.Channels {
		m.oldTop = max(m.oldTop, seq)
	}
}
