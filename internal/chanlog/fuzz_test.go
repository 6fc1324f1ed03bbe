package chanlog

import (
	"strings"
	"testing"
)

// maker makes entries of drafts as FuzzLog has them.
type maker struct{ t *testing.T }

func (m maker) Make(channel string, d *Draft) *Entry {
	if channel != "a" || d.At != int64(d.Seq)*1e9 || len(d.Event) != d.Frame*d.Frame&MaxDraftEvent || len(d.Data) != 7*d.Frame {
		m.t.Fatalf("asked to make %+v of %s", d, channel)
	}
	return entry(d.Seq, d.Frame)
}

// list is a log as a plain list.
type list struct {
	held       []uint64
	size       map[uint64]int
	last, gone uint64
}

// FuzzLog runs any sequence of appends, drops and skips against a plain list
// and asks both the same. Each byte is one step; its upper bits say how far.
func FuzzLog(f *testing.F) {
	f.Add([]byte{0, 0, 1, 3, 4, 0})
	f.Add([]byte{2, 0x12, 0, 1, 1, 2, 0, 4, 3})
	long := make([]byte, 0, 400)
	for i := range 400 {
		long = append(long, byte(i%7/6))
	}
	f.Add(append(long, 3, 4, 0x53, 0x94, 0xf3))
	f.Add([]byte{0x15, 0x26, 0x37, 1, 0x45, 3, 0x55, 0x65, 1, 1, 1, 0x75, 0x13, 0x24, 0, 5, 1, 4})
	f.Add([]byte{0x0d, 0x16, 0, 1, 0x0f, 0x08, 1, 0, 3, 1, 4})
	late := make([]byte, 0, 400)
	for i := range 400 {
		late = append(late, byte(5+i%3-4*(i&1)))
	}
	f.Add(append(late, 3, 4, 0x53, 0x94, 0xf3))
	f.Fuzz(func(t *testing.T, steps []byte) {
		var log Log
		want := list{size: make(map[uint64]int)}
		for _, step := range steps {
			want.step(t, &log, step)
			if log.Len() != len(want.held) || log.Last() != want.last || log.Gone() != want.gone {
				t.Fatalf("%d held, last %d, gone %d; want %d, %d, %d", log.Len(), log.Last(), log.Gone(), len(want.held), want.last, want.gone)
			}
		}
		bytes := 0
		for _, seq := range want.held {
			bytes += want.size[seq]
		}
		if log.Bytes() != bytes {
			t.Fatalf("%d bytes, want %d", log.Bytes(), bytes)
		}
		checkEnds(t, &log, want.held)
	})
}

func (w *list) step(t *testing.T, log *Log, step byte) {
	t.Helper()
	far := uint64(step >> 3)
	switch step & 7 {
	case 5, 6, 7: // append what is to be encoded later
		w.last += 1 + far
		d := Draft{Seq: w.last, At: int64(w.last) * 1e9, Frame: int(far), Event: strings.Repeat("e", int(far*far)&MaxDraftEvent), Data: make([]byte, 7*far)}
		log.Later("a", &d, maker{t})
		clear(d.Data) // it was copied
		w.held, w.size[w.last] = append(w.held, w.last), int(far)
	case 0: // append
		w.last += 1 + far
		log.Append(entry(w.last, int(far)))
		w.held, w.size[w.last] = append(w.held, w.last), int(far)
	case 1: // let go of the oldest
		if len(w.held) > 0 {
			seq, _, ok := log.Front()
			if e := log.Drop(); e.Seq != w.held[0] || e.Frame != w.size[e.Seq] || seq != e.Seq || !ok {
				t.Fatalf("dropped %+v, in front was %d, want %d", e, seq, w.held[0])
			}
			w.gone, w.held = w.held[0], w.held[1:]
		}
	case 2: // pass over messages that are not held
		if len(w.held) == 0 {
			w.last += far
			w.gone = w.last
			log.Skip(w.last)
		}
	case 3: // resume
		seq := w.last - min(w.last, far)
		checkAfter(t, log, w.held, seq, seq >= w.gone)
	case 4:
		checkNewest(t, log, w.held, int(far))
	}
}

func checkEnds(t *testing.T, log *Log, held []uint64) {
	t.Helper()
	checkAfter(t, log, held, 0, log.Gone() == 0)
	if _, _, ok := log.Front(); ok != (len(held) > 0) {
		t.Fatalf("something is in front: %v, but %d are held", ok, len(held))
	}
	if len(held) == 0 {
		if log.Oldest() != nil || log.Tail() != nil {
			t.Fatal("an empty log has ends")
		}
		return
	}
	if log.Oldest().Seq != held[0] || log.Tail().Seq != held[len(held)-1] {
		t.Fatalf("it holds %d to %d, want %d to %d", log.Oldest().Seq, log.Tail().Seq, held[0], held[len(held)-1])
	}
}
