package ledger

import (
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// How many messages of a channel may wait to be encoded, and of how many bytes
// each: whoever looks at the channel encodes them all under the shard's lock.
const (
	maxDrafts    = 128
	maxDraftData = 1 << 10
)

// unseen reports whether a message can wait to be encoded, as nobody is told of
// it now. The caller holds mu: who comes later gets a place behind it.
func (s *shard) unseen(p *wire.Publication) bool {
	return s.ledger.unheard && len(p.Data) <= maxDraftData && s.tap == nil && !s.ledger.sink.Listens(p.Channel)
}

// draft keeps a message that nobody is told of. The caller holds mu.
func (s *shard) draft(p *wire.Publication, id wire.ID, now time.Time) {
	r := s.records[p.Channel]
	if r == nil {
		r = s.open(p.Channel)
	}
	if s.classes[r.class].Messages == 0 {
		s.pass(r, id.Seq, uint32(now.Unix()))
		return
	}
	if r.log.Drafts() >= maxDrafts {
		r.log.Make()
	}
	d := chanlog.Draft{Seq: id.Seq, At: now.UnixNano(), Frame: engine.MessageSize(p, id), Event: p.Event, Data: p.Data}
	r.log.Later(r.name, &d, s.ledger)
	s.came(r, id.Seq, uint32(now.Unix()), d.Frame, false)
}

// Make implements chanlog.Maker.
func (l *Ledger) Make(channel string, d *chanlog.Draft) *chanlog.Entry {
	p := wire.Publication{Channel: channel, Event: d.Event, Data: d.Data}
	return engine.NewMessage(p, wire.ID{Epoch: l.epoch, Seq: d.Seq}, time.Unix(0, d.At))
}
