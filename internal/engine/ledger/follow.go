package ledger

import (
	"fmt"
	"maps"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// Leap is by how much the counters of a ledger jump that becomes the owner
// where another was: further than that one can have gone unheard.
const Leap = 1 << 32

// maxSeq is higher than any counter can get.
const maxSeq = 1 << 62

// Freeze ends that this ledger orders messages: Publish returns ErrLimit, and
// Apply and Adopt tell it what another process orders. Changes are no longer
// noted for Collect. Own undoes it.
func (l *Ledger) Freeze() {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		s.limit, s.noting = 0, false
		s.changes = changes{}
		s.mu.Unlock()
	}
}

// Own makes a frozen ledger order messages again. lost is whether the process
// that did so ended without a word: what it gave out last may not have come
// here. Then seqs jump by Leap, and every channel has a gap.
func (l *Ledger) Own(lost bool) {
	now := time.Now()
	for i := range l.shards {
		l.shards[i].own(lost, now)
	}
	if l.bytes.Load() > l.maxBytes {
		l.evict()
	}
	if lost {
		l.sink.Suspect(nil) // channels without a record have their gap nowhere else
	}
}

func (s *shard) own(lost bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = unlimited
	if !lost {
		return
	}
	s.seq += Leap
	s.top, s.lost = s.seq, s.seq
	s.memo.lose(s.lost)
	tap := s.tap
	s.tap = nil // a snapshot says it shorter
	for _, r := range s.records {
		after := wire.ID{Epoch: s.ledger.epoch, Seq: r.log.Last()}
		s.append(r.name, engine.NewGap(r.name, after, s.lost, wire.GapRestarted, now), nil, false)
	}
	if s.tap = tap; tap != nil {
		s.pour(Poured{Shard: s.index})
	}
}

// lose notes that messages up to seq may be gone of every channel.
func (m *memo) lose(seq uint64) {
	m.below, m.young, m.old, m.youngTop, m.oldTop = seq, nil, nil, 0, 0
	for h := range m.pinned {
		m.pinned[h] = seq
	}
}

// Apply takes a message that another process ordered, behind all that came
// before it in its shard. An error says that it cannot be, and nothing is
// changed.
func (l *Ledger) Apply(channel string, e *chanlog.Entry, key *Key) error {
	s := &l.shards[Shard(channel)]
	if err := s.apply(channel, e, key); err != nil {
		return err
	}
	if l.bytes.Load() > l.maxBytes {
		l.evict()
	}
	return nil
}

func (s *shard) apply(channel string, e *chanlog.Entry, key *Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[channel]
	if e.Seq < s.top || e.Seq > maxSeq || r != nil && e.Seq <= r.log.Last() {
		return fmt.Errorf("channel %s: seq %d cannot follow %d", wire.Quote(channel), e.Seq, s.top)
	}
	s.seq, s.top = e.Seq, e.Seq
	if key != nil {
		s.learn(*key)
	}
	s.append(channel, e, key, false)
	return nil
}

// learn takes over a key that another process has room for. The caller holds
// mu.
func (s *shard) learn(k Key) {
	s.keys.add(k)
	s.ledger.keys.Add(1)
}

// Adopt takes a snapshot of another process that begins where this ledger's
// shard is. Channels whose messages have come and gone meanwhile are Suspect.
// An error says that the snapshot cannot be, and nothing is changed.
func (l *Ledger) Adopt(p Snapshot) error {
	if err := p.check(); err != nil {
		return err
	}
	suspects, all, err := l.shards[p.Shard].adopt(&p)
	if err != nil {
		return err
	}
	if l.bytes.Load() > l.maxBytes {
		l.evict()
	}
	if all {
		suspects = nil
	}
	if all || len(suspects) > 0 {
		l.sink.Suspect(suspects)
	}
	return nil
}

func (s *shard) adopt(p *Snapshot) (suspects []string, all bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.Since != s.top {
		return nil, false, fmt.Errorf("shard %d: what came behind %d cannot follow %d", s.index, p.Since, s.top)
	}
	tap := s.tap
	s.tap = nil // a snapshot says it shorter
	s.seq, s.top, s.lost = max(s.seq, p.Top), p.Top, max(s.lost, p.Lost)
	known := make(map[string]bool, len(p.Channels))
	for i := range p.Channels {
		part := &p.Channels[i]
		known[part.Channel] = true
		if !s.take(part) {
			suspects = append(suspects, part.Channel)
		}
	}
	for _, r := range s.records {
		if floor := p.Notes.floor(hash(r.name)); !known[r.name] && floor > max(p.Since, r.log.Last()) {
			s.skip(r, floor)
			suspects = append(suspects, r.name)
		}
	}
	all = s.memo.learn(p.Notes, p.Since)
	for _, k := range p.Keys {
		s.learn(k)
	}
	if s.tap = tap; tap != nil {
		s.pour(Poured{Shard: s.index})
	}
	return suspects, all, nil
}

// take appends what a snapshot has of a channel, and reports whether that
// follows what was there. The caller holds mu.
func (s *shard) take(part *Part) (follows bool) {
	r := s.records[part.Channel]
	last := uint64(0)
	if r != nil {
		last = r.log.Last()
	} else {
		last = s.memo.floor(hash(part.Channel))
	}
	if follows = part.Gone <= last; !follows {
		if r == nil {
			r = s.open(part.Channel)
		}
		s.skip(r, part.Gone)
	}
	for e := part.First; e != nil; e = e.Next() {
		if e.Seq > last {
			own := &chanlog.Entry{Seq: e.Seq, At: e.At, Kind: e.Kind, Head: e.Head, Frame: e.Frame} // the other is linked in its log
			if follows {
				s.append(part.Channel, own, nil, false)
			} else {
				s.keep(r, own, false) // and read again
			}
		}
		if e == part.Last {
			break
		}
	}
	return follows
}

// skip lets go of all that a record holds, and notes that messages up to seq
// are gone. The caller holds mu.
func (s *shard) skip(r *record, seq uint64) {
	for r.log.Len() > 0 {
		s.ledger.bytes.Add(-s.drop(r))
	}
	r.log.Skip(seq)
	s.touch(r)
	s.enqueue(r, uint32(time.Now().Unix()))
}

// floor returns the seq up to which messages of a channel may be gone.
func (n *Notes) floor(h uint64) uint64 {
	if seq, ok := n.Channels[h]; ok {
		return seq
	}
	return n.Below
}

// learn takes over what another process knows of messages behind since, and
// reports whether that is anything.
func (m *memo) learn(n Notes, since uint64) (learned bool) {
	if n.Below > since {
		learned = true
		m.below = max(m.below, n.Below)
	}
	for _, known := range [...]map[uint64]uint64{m.pinned, m.young, m.old} {
		for h, seq := range known {
			if floor := n.floor(h); floor > max(since, seq) {
				learned = true
				known[h] = floor
			}
		}
	}
	m.youngTop, m.oldTop = highest(m.young), highest(m.old)
	for h, seq := range n.Channels {
		if _, pinned := m.pinned[h]; seq > since && !pinned {
			learned = true
			m.note(h, seq)
		}
	}
	return learned
}

func highest(known map[uint64]uint64) (top uint64) {
	for seq := range maps.Values(known) {
		top = max(top, seq)
	}
	return top
}
