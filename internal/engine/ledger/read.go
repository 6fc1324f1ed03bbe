package ledger

import (
	"context"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// Attach implements engine.Engine.
func (l *Ledger) Attach(channel string) wire.ID {
	h := hash(channel)
	s := &l.shards[h%Shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records[channel] == nil {
		s.memo.pin(h)
	}
	return s.place()
}

// Detach implements engine.Engine.
func (l *Ledger) Detach(channel string) {
	h := hash(channel)
	s := &l.shards[h%Shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.sink.Listens(channel) {
		return // somebody came meanwhile
	}
	s.memo.unpin(h)
	if r := s.records[channel]; r != nil && r.log.Len() == 0 && !r.due {
		s.forget(r)
	}
}

// Read implements engine.Engine. It never waits.
func (l *Ledger) Read(_ context.Context, channel string, since wire.ID, limit int) (engine.Page, error) {
	page, first, last := l.shards[Shard(channel)].read(channel, since)
	fill(&page, first, last, limit)
	return page, nil
}

// Newest implements engine.Engine. It never waits.
func (l *Ledger) Newest(_ context.Context, channel string, limit int) (engine.Page, error) {
	page, first, last := l.shards[Shard(channel)].newest(channel, limit)
	fill(&page, first, last, limit)
	return page, nil
}

// place returns the newest place of every channel of the shard. The caller
// holds mu.
func (s *shard) place() wire.ID { return wire.ID{Epoch: s.ledger.epoch, Seq: s.top} }

// read returns what is held behind since, from first to last.
func (s *shard) read(channel string, since wire.ID) (page engine.Page, first, last *chanlog.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page = engine.Page{Complete: true, Top: s.place()}
	if since.Epoch != s.ledger.epoch || since.Seq > s.top {
		page.Complete, page.Gap = false, wire.GapRestarted
		since.Seq = 0
	}
	complete := true
	if r := s.records[channel]; r != nil {
		first, complete = r.log.After(since.Seq)
		last = r.log.Tail()
	} else {
		complete = since.Seq >= s.memo.floor(hash(channel))
	}
	if page.Complete && !complete {
		page.Complete, page.Gap = false, wire.GapExpired
		if since.Seq < s.lost {
			page.Gap = wire.GapRestarted
		}
	}
	return page, first, last
}

// newest returns the newest entries of a channel, from first to last.
func (s *shard) newest(channel string, limit int) (page engine.Page, first, last *chanlog.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page = engine.Page{Complete: true, Top: s.place()}
	if r := s.records[channel]; r != nil {
		first, last = r.log.Newest(limit), r.log.Tail()
		page.Complete = r.log.Len() <= limit
	}
	return page, first, last
}

// fill sets First, Last, Count and More from the entries from first to last,
// of which it takes up to limit, or all with limit 0. It needs no lock: what
// was dropped meanwhile is still linked.
func fill(p *engine.Page, first, last *chanlog.Entry, limit int) {
	p.First = first
	for e := first; e != nil && e.Seq <= last.Seq; e = e.Next() {
		if limit > 0 && p.Count == limit {
			p.More = true
			return
		}
		p.Last = e
		p.Count++
	}
}
