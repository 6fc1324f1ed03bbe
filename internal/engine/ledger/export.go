package ledger

import (
	"errors"
	"fmt"
	"io"

	"holdfast.dev/holdfast/internal/chanlog"
)

// exportFormat begins what Export writes; another version has another name.
const exportFormat = "holdfast ledger 1\n"

// Export writes everything that the ledger knows, for Import to read: the
// epoch, counters, entries, what is known of what is gone, idempotency keys.
// Nothing may be published meanwhile.
func (l *Ledger) Export(w io.Writer) error {
	if _, err := io.WriteString(w, exportFormat); err != nil {
		return err
	}
	b := newBlockWriter(w)
	b.bytes([]byte(l.epoch))
	for i := range l.shards {
		if l.waits(i) {
			return errors.New("messages wait to be stored")
		}
		p := l.Snapshot(i, 0, nil)
		b.snapshot(&p)
		if b.err != nil {
			return b.err
		}
	}
	return b.close()
}

// waits reports whether a shard has messages that cannot be seen yet.
func (l *Ledger) waits(shard int) bool {
	s := &l.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending) > 0
}

// Write writes the snapshot for ReadSnapshot. Whatever follows it in w stays
// unread.
func (p *Snapshot) Write(w io.Writer) error {
	b := newBlockWriter(w)
	b.snapshot(p)
	return b.close()
}

// snapshot: shard, since, seq, top, lost; each channel: name, gone, entries,
// ended by an empty name; notes: below, how many, each hash and seq; keys: how
// many, each sum, seq and time.
func (b *blockWriter) snapshot(p *Snapshot) {
	for _, n := range [...]uint64{uint64(p.Shard), p.Since, p.Seq, p.Top, p.Lost} {
		b.uint(n)
	}
	for i := range p.Channels {
		b.part(&p.Channels[i])
	}
	b.uint(0)
	b.uint(p.Notes.Below)
	b.uint(uint64(len(p.Notes.Channels)))
	for h, seq := range p.Notes.Channels {
		b.fixed(h)
		b.uint(seq)
	}
	b.uint(uint64(len(p.Keys)))
	for i := range p.Keys {
		b.raw(p.Keys[i].Sum[:])
		b.uint(p.Keys[i].Seq)
		b.fixed(uint64(p.Keys[i].At))
	}
}

// part: each entry: how far its seq is above that of the one before it, kind,
// time, JSON; ended by a 0.
func (b *blockWriter) part(p *Part) {
	b.bytes([]byte(p.Channel))
	b.uint(p.Gone)
	last := uint64(0)
	for e := p.First; e != nil; e = e.Next() {
		b.uint(e.Seq - last)
		b.uint(uint64(e.Kind))
		b.uint(uint64(e.At))
		b.bytes(e.JSON())
		last = e.Seq
		if e == p.Last || b.err != nil {
			break
		}
	}
	b.uint(0)
}

// check returns why a snapshot cannot be, nil when it can.
func (p *Snapshot) check() error {
	switch {
	case p.Shard < 0 || p.Shard >= Shards:
		return fmt.Errorf("there is no shard %d", p.Shard)
	case p.Since > p.Top || p.Top > p.Seq || p.Seq > maxSeq || p.Lost > maxSeq || p.Notes.Below > maxSeq:
		return fmt.Errorf("shard %d: its counters cannot be", p.Shard)
	}
	for i := range p.Channels {
		if err := p.Channels[i].check(p); err != nil {
			return err
		}
	}
	for _, seq := range p.Notes.Channels {
		if seq > maxSeq {
			return fmt.Errorf("shard %d: its notes cannot be", p.Shard)
		}
	}
	for i := range p.Keys {
		if k := &p.Keys[i]; k.Seq > p.Top || k.At < 0 {
			return fmt.Errorf("shard %d: a key cannot be", p.Shard)
		}
	}
	return nil
}

func (part *Part) check(p *Snapshot) error {
	if Shard(part.Channel) != p.Shard || part.Gone > maxSeq {
		return fmt.Errorf("shard %d: channel %q cannot be in it", p.Shard, part.Channel)
	}
	last := max(p.Since, part.Gone)
	for e := part.First; e != nil; e = e.Next() {
		if e.Seq <= last || e.Seq > p.Top || e.Kind != chanlog.Message && e.Kind != chanlog.Gap {
			return fmt.Errorf("channel %q: an entry with seq %d cannot follow %d", part.Channel, e.Seq, last)
		}
		if last = e.Seq; e == part.Last {
			return nil
		}
	}
	return nil
}
