package ledger

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// maxEntry bounds the JSON of one entry, in bytes: more than a message can
// have.
const maxEntry = 80 << 20

// Import returns a ledger that knows what another one knew that wrote it by
// Export, as far as its own options let it keep that; their Epoch does not
// count. What it takes of memory on the way is bounded by what was read. An
// error says why nothing was made of it.
func Import(r io.Reader, sink engine.Sink, o Options) (*Ledger, error) {
	head := make([]byte, len(exportFormat))
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("the history cannot be read: %w", cut(err))
	}
	if string(head) != exportFormat {
		return nil, fmt.Errorf("the history is %s; this program reads %s", wire.Quote(string(head)), wire.Quote(exportFormat))
	}
	b := newBlockReader(r)
	o.Epoch = string(b.bytes(wire.MaxChannelName))
	if _, err := wire.ParseID(o.Epoch + "-1"); b.err == nil && err != nil {
		b.fail(errors.New("its epoch cannot be"))
	}
	l := New(sink, o)
	for i := range l.shards {
		p, err := b.snapshot()
		if err == nil && (p.Shard != i || p.Since != 0) {
			err = fmt.Errorf("shard %d stands where %d should", p.Shard, i)
		}
		if err == nil {
			err = l.install(&p)
		}
		if err != nil {
			return nil, fmt.Errorf("the history cannot be read: %w", err)
		}
	}
	if err := b.close(); err != nil {
		return nil, fmt.Errorf("the history cannot be read: %w", err)
	}
	return l, nil
}

// ReadSnapshot reads what Snapshot.Write wrote and nothing behind it. An
// error says that it is damaged.
func ReadSnapshot(r io.Reader) (Snapshot, error) {
	b := newBlockReader(r)
	p, err := b.snapshot()
	if err == nil {
		err = b.close()
	}
	return p, err
}

// snapshot reads one, and checks it.
func (b *blockReader) snapshot() (Snapshot, error) {
	p := Snapshot{Shard: int(min(b.uint(), Shards)), Since: b.uint(), Seq: b.uint(), Top: b.uint(), Lost: b.uint()}
	for b.err == nil {
		name := b.bytes(wire.MaxChannelName)
		if len(name) == 0 {
			break
		}
		p.Channels = append(p.Channels, Part{Channel: string(name)})
		b.part(&p.Channels[len(p.Channels)-1])
	}
	p.Notes.Below = b.uint()
	n := b.uint()
	p.Notes.Channels = make(map[uint64]uint64, min(n, 2*notes))
	for ; n > 0 && b.err == nil; n-- {
		h := b.fixed()
		p.Notes.Channels[h] = b.uint()
	}
	for n := b.uint(); n > 0 && b.err == nil; n-- {
		var k Key
		copy(k.Sum[:], b.take(uint64(len(k.Sum))))
		k.Seq, k.At = b.uint(), int64(b.fixed())
		p.Keys = append(p.Keys, k)
	}
	if b.err != nil {
		return p, b.err
	}
	return p, p.check()
}

func (b *blockReader) part(p *Part) {
	if err := wire.CheckChannel(p.Channel); err != nil {
		b.fail(err)
	}
	p.Gone = b.uint()
	seq := uint64(0)
	for b.err == nil {
		step := b.uint()
		if step == 0 {
			return
		}
		if step > maxSeq-seq {
			b.fail(fmt.Errorf("a seq that lies %d above %d", step, seq))
			return
		}
		seq += step
		kind, at := b.uint(), b.uint()
		if kind > uint64(chanlog.Gap) || at > math.MaxUint32 {
			b.fail(fmt.Errorf("an entry of kind %d at %d", kind, at))
			return
		}
		json := b.bytes(maxEntry)
		if b.err != nil {
			return
		}
		e := engine.NewEntry(json, seq, time.Unix(int64(at), 0), chanlog.Kind(kind))
		if p.First == nil {
			p.First = e
		} else {
			p.Last.Link(e)
		}
		p.Last = e
	}
}

// install makes a shard that was never used know what a snapshot says, which
// must have been checked.
func (l *Ledger) install(p *Snapshot) error {
	if err := l.shards[p.Shard].install(p, time.Now()); err != nil {
		return err
	}
	if l.bytes.Load() > l.maxBytes {
		l.evict()
	}
	return nil
}

func (s *shard) install(p *Snapshot, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq, s.top, s.lost = p.Seq, p.Top, p.Lost
	for i := range p.Channels {
		part := &p.Channels[i]
		if s.records[part.Channel] != nil {
			return fmt.Errorf("channel %s stands twice", wire.Quote(part.Channel))
		}
		r := s.open(part.Channel)
		r.log.Skip(part.Gone)
		for e := part.First; e != nil; {
			next := e.Next() // appending links
			s.keep(r, e, false)
			e = next
		}
		s.enqueue(r, uint32(now.Unix()))
	}
	s.memo.restore(p.Notes)
	for _, k := range p.Keys {
		if now.UnixNano()-k.At < int64(KeyAge) {
			s.learn(k)
		}
	}
	for s.expire(now) {
	}
	return nil
}
