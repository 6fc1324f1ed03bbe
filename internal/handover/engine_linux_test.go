package handover

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/engine/relay"
	"holdfast.dev/holdfast/internal/wire"
)

// listener notes what an engine delivers, and complains of what comes out of
// turn.
type listener struct {
	t    *testing.T
	name string

	mu   sync.Mutex
	last map[string]uint64
	seen map[string]map[uint64]bool
}

func newListener(t *testing.T, name string) *listener {
	return &listener{t: t, name: name, last: map[string]uint64{}, seen: map[string]map[uint64]bool{}}
}

func (l *listener) Deliver(m engine.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.Entry.Seq <= l.last[m.Channel] || m.Prev > 0 && l.last[m.Channel] > 0 && m.Prev != l.last[m.Channel] {
		l.t.Errorf("%s: %d follows %d, it says %d", l.name, m.Entry.Seq, l.last[m.Channel], m.Prev)
	}
	l.last[m.Channel] = m.Entry.Seq
	if l.seen[m.Channel] == nil {
		l.seen[m.Channel] = map[uint64]bool{}
	}
	l.seen[m.Channel][m.Entry.Seq] = true
}
func (l *listener) Suspect(channels []string) { l.t.Errorf("%s: suspect: %v", l.name, channels) }
func (l *listener) Listens(string) bool       { return true }

// owner is the engine of an old process, as a node would have it.
type owner struct {
	door *relay.Engine
	link *relay.Link
}

func (o *owner) Export(ctx context.Context, w io.Writer) error {
	if err := o.door.Pause(ctx); err != nil {
		return err
	}
	return o.door.Ledger().Export(w)
}

func (o *owner) Greet(ctx context.Context, conn net.Conn) (err error) {
	o.link, err = relay.Greet(ctx, conn, o.door.Ledger())
	return err
}
func (o *owner) Follow() { o.door.Follow(o.link) }
func (o *owner) Keep() {
	if o.link != nil {
		o.link.Close()
	}
	o.door.Resume()
}

// heir is the engine of a new one.
type heir struct {
	sink engine.Sink
	door *relay.Engine
	feed *relay.Feed
	own  chan struct{}
}

func (h *heir) Import(ctx context.Context, r io.Reader, link net.Conn) error {
	l, err := ledger.Import(r, h.sink, ledger.Options{Rules: rules})
	if err != nil {
		link.Close()
		return err
	}
	h.door = relay.New(h.sink, l, l)
	h.feed, err = relay.Answer(ctx, link, l)
	return err
}
func (h *heir) Own() { close(h.own) }
func (h *heir) Abandon() {
	if h.feed != nil {
		h.feed.Close()
	}
}

var rules = ledger.Rules{Default: ledger.Keep{Messages: 1 << 20, Age: time.Hour}}

// TestHandover_NoPublishFailsAndNoListenerMissesAnything hands an engine over
// while both processes are published to, again and again, cut short at any
// message or not at all.
func TestHandover_NoPublishFailsAndNoListenerMissesAnything(t *testing.T) {
	rng := seeded(t)
	for round := range 12 {
		cut := -1
		if round%3 > 0 {
			cut = rng.IntN(9)
		}
		t.Run(fmt.Sprint(round), func(t *testing.T) { handOverEngine(t, cut) })
	}
}

func handOverEngine(t *testing.T, cut int) {
	r := newRig(t, 0)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	old, new := newListener(t, "old"), newListener(t, "new")
	m := memory.NewWith(old, memory.Options{Rules: rules})
	o := &owner{door: relay.New(old, m, m.Ledger)}
	h := &heir{sink: new, own: make(chan struct{})}
	r.old.Owner, r.new.Heir = o, h
	var running sync.WaitGroup
	running.Go(func() { _ = o.door.Run(ctx) })
	w := &publishers{t: t}
	w.begin(o.door, 4)
	var wg sync.WaitGroup
	var far deadliner
	far, _ = newSocket(r.ends[1])
	if cut >= 0 {
		far = &cutter{deadliner: far, left: cut}
	}
	wg.Go(func() { _ = r.new.run(ctx, far, Greeting{Format: Format, Reads: []int{3}, Limit: 1 << 20}) })
	out, err := r.old.Run(ctx, r.ends[0])
	wg.Wait()
	select {
	case <-h.own:
		running.Go(func() { _ = h.door.Run(ctx) })
		running.Go(func() { _ = h.feed.Run(ctx, h.door) })
		w.begin(h.door, 3)
	default:
		if out.EngineMoved {
			t.Errorf("the engine moved to nobody: %v", err)
		}
	}
	if out.EngineMoved {
		t.Logf("publishes waited for %v", out.Paused)
	}
	<-time.After(50 * time.Millisecond)
	w.halt.Store(true)
	w.wg.Wait()
	if out.EngineMoved {
		for shard := range ledger.Shards {
			for end := time.Now().Add(10 * time.Second); o.door.Ledger().Top(shard) < h.door.Ledger().Top(shard) && time.Now().Before(end); {
				<-time.After(time.Millisecond)
			}
		}
	}
	stop()
	running.Wait()
	for id := range w.acked {
		if !old.seen[id.channel][id.seq] {
			t.Errorf("%v was acknowledged and the old process has not seen it", id)
		}
		if out.EngineMoved && id.by == h.door && !new.seen[id.channel][id.seq] {
			t.Errorf("%v was acknowledged and the new process has not seen it", id)
		}
	}
}

// publishers publish and note what was acknowledged.
type publishers struct {
	t    *testing.T
	halt atomic.Bool
	wg   sync.WaitGroup
	mu   sync.Mutex

	acked map[place]bool
}

type place struct {
	channel string
	seq     uint64
	by      *relay.Engine
}

func (w *publishers) begin(d *relay.Engine, n int) {
	for k := range n {
		w.wg.Go(func() {
			for i := 0; !w.halt.Load(); i++ {
				p := wire.Publication{Channel: fmt.Sprint("c", (i+k)%5), Data: fmt.Append(nil, i)}
				ack, err := d.Publish(w.t.Context(), p)
				if err != nil {
					w.t.Errorf("publish: %v", err)
					return
				}
				w.mu.Lock()
				if w.acked == nil {
					w.acked = map[place]bool{}
				}
				w.acked[place{p.Channel, ack.ID.Seq, d}] = true
				w.mu.Unlock()
				if i%16 == 0 {
					<-time.After(time.Millisecond)
				}
			}
		})
	}
}
