package ledger

import (
	"context"
	"math"
	"time"

	"holdfast.dev/holdfast/internal/engine"
)

// Evicted counts the messages that channels let go of, by why.
type Evicted struct {
	Count   uint64 // there were newer ones, as many as a channel keeps
	Bytes   uint64 // newer ones took all the bytes that a channel keeps
	Age     uint64 // they were too old
	Process uint64 // they were the oldest, and all channels together kept too much
}

const (
	tick  = time.Second // how often what is too old is looked for
	idle  = 60          // seconds after which an empty record of a channel without history is given back
	never = math.MaxUint32
	batch = 256 // messages or records looked at under one hold of a lock
)

// Run lets go of what is too old until ctx is done.
func (l *Ledger) Run(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			l.expire(now)
		case <-ctx.Done():
			return nil
		}
	}
}

// HistoryBytes returns what all channels keep: frames, and what surrounds
// them in memory. It exceeds Options.MaxBytes by no more than one message for
// each publisher that is at work.
func (l *Ledger) HistoryBytes() int64 { return l.bytes.Load() }

// Evicted returns how many messages channels let go of since the start.
func (l *Ledger) Evicted() (n Evicted) {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		n.Count += s.freed.Count
		n.Bytes += s.freed.Bytes
		n.Age += s.freed.Age
		n.Process += s.freed.Process
		s.mu.Unlock()
	}
	return n
}

func (l *Ledger) expire(now time.Time) {
	for i := range l.shards {
		s := &l.shards[i]
		for more := true; more; {
			s.mu.Lock()
			more = s.expire(now)
			s.mu.Unlock()
		}
	}
}

// expire lets go of what is too old, up to a bound, and reports whether there
// is more. The caller holds mu.
func (s *shard) expire(now time.Time) (more bool) {
	s.expireKeys(now)
	done := 0
	for i := range s.classes {
		c := &s.classes[i]
		for c.overdue(now) {
			if done++; done > batch {
				return true
			}
			r := c.queue[0].record
			for _, at, ok := r.log.Front(); ok && c.old(at, now) && done < batch; _, at, ok = r.log.Front() {
				s.ledger.bytes.Add(-s.drop(r))
				s.freed.Age++
				done++
			}
			s.requeue(c)
		}
	}
	return false
}

// evict lets go of the oldest messages until all channels together keep no
// more than they may.
func (l *Ledger) evict() {
	for l.bytes.Load() > l.maxBytes {
		first, at := 0, uint32(never)
		for i := range l.oldest {
			if t := l.oldest[i].Load(); t < at {
				first, at = i, t
			}
		}
		if at == never {
			return
		}
		l.shards[first].evict(at)
	}
}

// evict lets go of messages that are as old as at until there is room, or
// finds out how old its oldest is.
func (s *shard) evict(at uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var c *class
	for i := range s.classes {
		if q := s.classes[i].queue; len(q) > 0 && (c == nil || q[0].at < c.queue[0].at) {
			c = &s.classes[i]
		}
	}
	if c == nil {
		s.ledger.oldest[s.index].Store(never)
		return
	}
	r := c.queue[0].record
	for n := 0; n < batch && s.ledger.bytes.Load() > s.ledger.maxBytes; n++ {
		if _, oldest, ok := r.log.Front(); !ok || oldest > at {
			break
		}
		s.ledger.bytes.Add(-s.drop(r))
		s.freed.Process++
	}
	s.requeue(c)
}

var _ engine.Engine = (*Ledger)(nil)
