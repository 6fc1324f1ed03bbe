package journal

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// reader looks into the file whenever a message is shown to it.
type reader struct {
	nobody
	t    *testing.T
	dir  string
	sync bool
	seen atomic.Int64
}

func (r *reader) Listens(string) bool { return true }

func (r *reader) Deliver(m engine.Message) {
	r.seen.Add(1)
	stored := false
	c, err := load(r.dir, func(rec *record) { stored = stored || rec.channel == m.Channel && rec.seq == m.Entry.Seq })
	if err != nil {
		r.t.Error(err)
		return
	}
	h := c.heads.shards[ledger.Shard(m.Channel)]
	switch {
	case r.sync && !stored:
		r.t.Errorf("%s: %v is shown and not in the file", m.Channel, m.ID())
	case !r.sync && (h.condition != ahead || h.ceiling < m.Entry.Seq):
		r.t.Errorf("%s: %v is shown, and after a crash now it would be given out again: %+v", m.Channel, m.ID(), h)
	}
}

// TestPromise_IsInTheFileBeforeAMessageIsShown looks there at that moment.
func TestPromise_IsInTheFileBeforeAMessageIsShown(t *testing.T) {
	for _, d := range []Durability{Async, Sync} {
		r := &reader{t: t, dir: folder(t), sync: d == Sync}
		e, err := Open(Config{Dir: r.dir, Durability: d, Rules: fifty}, r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Close() })
		now := time.Now()
		for i := range 120 {
			_, _, err := e.Submit(wire.Publication{Channel: fmt.Sprint("c", i%23), Data: []byte("1")}, func(_ engine.Ack, err error) {
				if err != nil {
					t.Error(err)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if i%7 == 0 {
				now = now.Add(time.Duration(i%3) * 700 * time.Millisecond) // to rest, now and then
				e.step(now)
			}
		}
		e.step(now)
		if n := r.seen.Load(); n != 120 {
			t.Errorf("%d messages were shown", n)
		}
	}
}
