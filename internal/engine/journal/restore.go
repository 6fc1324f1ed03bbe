package journal

import (
	"errors"
	"io/fs"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// restorer gathers the channels of a file.
type restorer struct {
	channels map[string]*restored
	dead     []deadRecord
	holes    [ledger.Shards]int // in chains of a shard's channels
	odd      int                // records out of order
}

// restored is one channel.
type restored struct {
	place
	gone    uint64 // seq up to which nothing is held
	entries []*chanlog.Entry
	holes   []hole
}

// hole is a place where records are missing: behind entry number at, those
// before it counted.
type hole struct {
	at     int
	after  uint64 // seq of the entry before it
	before uint64 // seq of the entry behind it
}

func newRestorer() *restorer { return &restorer{channels: make(map[string]*restored)} }

// visit takes one record.
func (r *restorer) visit(rec *record) {
	shard := ledger.Shard(rec.channel)
	c := r.channels[rec.channel]
	switch {
	case c == nil:
		c = &restored{gone: rec.prev}
		r.channels[rec.channel] = c
	case rec.seq <= c.last:
		r.odd++
		r.dead = append(r.dead, deadRecord{rec.pos, shard})
		return
	case rec.first:
		for _, m := range c.marks {
			r.dead = append(r.dead, deadRecord{m.pos, shard})
		}
		*c = restored{gone: rec.prev}
	case rec.prev != c.last:
		r.holes[shard]++
		c.holes = append(c.holes, hole{len(c.entries), c.last, rec.seq})
	}
	c.entries = append(c.entries, engine.NewEntry(rec.json, rec.seq, time.Unix(int64(rec.at), 0), rec.kind))
	c.marks = append(c.marks, mark{rec.seq, rec.pos})
	c.last = rec.seq
}

// bridged returns the entries with a gap in each hole.
func (c *restored) bridged(channel, epoch string) []*chanlog.Entry {
	if len(c.holes) == 0 {
		return c.entries
	}
	list := make([]*chanlog.Entry, 0, len(c.entries)+len(c.holes))
	from := 0
	for _, h := range c.holes {
		list = append(list, c.entries[from:h.at]...)
		if h.before-1 > h.after {
			after := wire.ID{Epoch: epoch, Seq: h.after}
			at := time.Unix(int64(c.entries[h.at].At), 0)
			list = append(list, engine.NewGap(channel, after, h.before-1, wire.GapRestarted, at))
		}
		from = h.at
	}
	return append(list, c.entries[from:]...)
}

// beyond is how far a counter jumps when the newest transaction of a file may
// be missing: further than one can have gone with it.
const beyond = 1 << 24

// restore puts what was found into the ledger, and notes what the file has.
func (e *Engine) restore(c *contents, r *restorer) {
	b := &e.book
	b.places = make(map[string]*place, len(r.channels))
	b.heads, b.keys, b.dead, b.since = c.heads, c.keys, r.dead, time.Now()
	b.heads.next = max(c.heads.next, c.high+1)
	for channel, rc := range r.channels {
		e.Restore(channel, rc.gone, rc.bridged(channel, c.epoch))
		b.places[channel] = &place{last: rc.last, marks: rc.marks}
		h := &b.heads.shards[ledger.Shard(channel)]
		h.last, h.ceiling = max(h.last, rc.last), max(h.ceiling, rc.last)
	}
	keys := make([][]ledger.Key, ledger.Shards)
	for _, k := range c.keys {
		keys[k.shard] = append(keys[k.shard], k.key)
	}
	for shard := range ledger.Shards {
		state := shardState(c, r, &b.heads.shards[shard], shard)
		state.Keys = keys[shard]
		e.RestoreShard(shard, state)
		if c.suspect(shard) || r.holes[shard] > 0 || r.odd > 0 {
			c.odd = true
		}
		if state.Durable+1 < state.Start {
			e.report.Lost++
		}
		h := &b.heads.shards[shard]
		*h = shardHead{ceiling: state.Start - 1, last: state.Start - 1, below: h.below, count: c.count[shard], sum: c.sum[shard]}
		e.SetLimit(shard, h.ceiling)
	}
	e.report.Channels, e.report.Messages = len(r.channels), c.records
	e.report.Damage, e.report.Damaged = c.damage, c.damaged
}

// shardState says where a shard goes on.
func shardState(c *contents, r *restorer, h *shardHead, shard int) ledger.State {
	s := ledger.State{Start: h.start(), Durable: h.last, Forgotten: h.below}
	if h.condition != ahead {
		s.Durable = s.Start - 1
	}
	if h.condition == resting {
		s.Notes = decodeNotes(c.notes[shard])
	}
	if c.torn {
		s.Start += beyond
	} else if c.suspect(shard) || r.holes[shard] > 0 || r.odd > 0 {
		s.Start++ // there the gap stands
		s.Durable = min(s.Durable, s.Start-2)
	}
	return s
}

// tell logs what was found.
func (e *Engine) tell(c *contents) {
	if e.report.Fresh {
		e.log.Info("a new journal begins", "dir", e.dir, "epoch", c.epoch)
		return
	}
	e.log.Info("the journal is read", "dir", e.dir, "epoch", c.epoch, "channels", e.report.Channels, "messages", e.report.Messages)
	if e.report.Lost > 0 {
		e.log.Warn("the last process did not end in order: messages may be missing, and their channels have a gap",
			"dir", e.dir, "shards", e.report.Lost, "of", ledger.Shards)
	}
	for _, d := range c.damage[:min(len(c.damage), 10)] {
		e.log.Error("damaged: left out", "dir", e.dir, "what", d.String())
	}
	if c.odd {
		e.log.Error("the journal was damaged: it is written anew, the file as it was found is kept", "dir", e.dir, "left_out", c.damaged, "kept", savedName)
	}
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
