package relay_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/engine/relay"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

// seeded returns a random generator whose seed it logs. The variable
// HOLDFAST_SEED sets the seed.
func seeded(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	if s, err := strconv.ParseUint(os.Getenv("HOLDFAST_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("HOLDFAST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

var plenty = ledger.Rules{Default: ledger.Keep{Messages: 1 << 20, Age: time.Hour}}

// ear listens to channels of a hub and notes what comes.
type ear struct {
	hub *hub.Hub

	mu   sync.Mutex
	seen map[string][]sight
	from map[string]uint64 // where it began
	held []*hub.Feed       // with something to take
	wake chan struct{}
}

// sight is one entry that an ear saw.
type sight struct {
	seq  uint64
	gap  bool
	text string
}

func (e *ear) Notify(f *hub.Feed, _ int, first bool) {
	if !first {
		return
	}
	e.mu.Lock()
	e.held = append(e.held, f)
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}
func (e *ear) Pace(context.Context) error { return nil }
func (e *ear) Overloaded() bool           { return false }

func (e *ear) join(channel string) {
	f := e.hub.Join(channel, e)
	f.Members.Add(1)
	_, place := f.Take()
	f.Settle()
	e.mu.Lock()
	e.from[channel] = place.Seq
	e.mu.Unlock()
}

// listen takes what comes until ctx is done.
func (e *ear) listen(ctx context.Context) {
	for {
		e.mu.Lock()
		held := e.held
		e.held = nil
		e.mu.Unlock()
		for _, f := range held {
			b, _ := f.Take()
			e.mu.Lock()
			for entry := b.First; entry != nil; entry = entry.Next() {
				e.seen[f.Name()] = append(e.seen[f.Name()], sight{entry.Seq, entry.Kind == chanlog.Gap, string(entry.JSON())})
				if entry == b.Last {
					break
				}
			}
			e.mu.Unlock()
			f.Settle()
		}
		select {
		case <-e.wake:
		case <-ctx.Done():
			return
		}
	}
}

// of returns what was seen of a channel.
func (e *ear) of(channel string) []sight {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.seen[channel])
}

// side is one process.
type side struct {
	t    *testing.T
	hub  *hub.Hub
	door *relay.Engine
	ear  *ear
	wg   sync.WaitGroup
	halt context.CancelFunc
}

func newSide(t *testing.T, make func(h *hub.Hub) (engine.Engine, *ledger.Ledger)) *side {
	s := &side{t: t, hub: hub.New()}
	e, l := make(s.hub)
	s.door = relay.New(s.hub, e, l)
	s.ear = &ear{hub: s.hub, seen: map[string][]sight{}, from: map[string]uint64{}, wake: newWake()}
	s.hub.Use(s.door, []hub.Listener{s.ear})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	s.halt = cancel
	s.wg.Go(func() { _ = s.hub.Run(ctx) })
	s.wg.Go(func() { s.ear.listen(ctx) })
	s.wg.Go(func() {
		if err := s.door.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newWake() chan struct{} { return make(chan struct{}, 1) }

func (s *side) stop() {
	s.halt()
	s.wg.Wait()
}

// world is two processes, and what was published in either.
type world struct {
	t        *testing.T
	rng      *rand.Rand
	channels []string
	old, new *side
	feed     *relay.Feed
	link     *relay.Link
	feeding  chan error

	mu     sync.Mutex
	acked  map[string][]posted
	unsure map[string]bool // texts whose outcome is not known
	halt   atomic.Bool
	wg     sync.WaitGroup
}

type posted struct {
	seq  uint64
	text string
}

func newWorld(t *testing.T, rules ledger.Rules) *world {
	w := &world{t: t, rng: seeded(t), acked: map[string][]posted{}, unsure: map[string]bool{}, feeding: make(chan error, 1)}
	for i := range 6 {
		w.channels = append(w.channels, fmt.Sprint("c", i))
	}
	w.old = newSide(t, func(h *hub.Hub) (engine.Engine, *ledger.Ledger) {
		m := memory.NewWith(h, memory.Options{Rules: rules})
		return m, m.Ledger
	})
	for _, c := range w.channels {
		w.old.ear.join(c)
	}
	return w
}

// move has the new process take over, over a link made of two connections.
func (w *world) move(rules ledger.Rules, here, there net.Conn) {
	w.t.Helper()
	if err := w.old.door.Pause(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	var text bytes.Buffer
	if err := w.old.door.Ledger().Export(&text); err != nil {
		w.t.Fatal(err)
	}
	w.new = newSide(w.t, func(h *hub.Hub) (engine.Engine, *ledger.Ledger) {
		l, err := ledger.Import(&text, h, ledger.Options{Rules: rules})
		if err != nil {
			w.t.Fatal(err)
		}
		return l, l
	})
	for _, c := range w.channels {
		w.new.ear.join(c)
	}
	w.feed, w.link = follow(w.t, w.old.door, w.new.door.Ledger(), func(testing.TB) (net.Conn, net.Conn) { return here, there })
	go func() { w.feeding <- w.feed.Run(context.WithoutCancel(w.t.Context()), w.new.door) }()
}

// publishers has n publish in a process until halt.
func (w *world) publishers(name string, s *side, n int) {
	for k := range n {
		rng := rand.New(rand.NewPCG(w.rng.Uint64(), 0))
		w.wg.Go(func() {
			for i := 0; !w.halt.Load(); i++ {
				p := wire.Publication{Channel: w.channels[rng.IntN(len(w.channels))], Data: fmt.Appendf(nil, `"%s-%d-%d"`, name, k, i)}
				if rng.IntN(4) == 0 {
					p.Key = string(p.Data)
				}
				w.publish(s, p)
				if rng.IntN(10) == 0 {
					time.Sleep(time.Duration(rng.IntN(int(time.Millisecond))))
				}
			}
		})
	}
}

func (w *world) publish(s *side, p wire.Publication) {
	r, err := s.hub.Publish(w.t.Context(), p)
	w.mu.Lock()
	defer w.mu.Unlock()
	refusal, _ := err.(*wire.Error)
	switch {
	case err == nil:
		w.acked[p.Channel] = append(w.acked[p.Channel], posted{r.ID.Seq, string(p.Data)})
	case refusal != nil && refusal.Code == wire.Uncertain:
		w.unsure[string(p.Data)] = true
	default:
		w.t.Errorf("publish: %v", err)
	}
}

// settle waits until all publishers have ended.
func (w *world) settle() {
	w.halt.Store(true)
	w.wg.Wait()
	for _, list := range w.acked {
		slices.SortFunc(list, func(a, b posted) int { return cmp.Compare(a.seq, b.seq) })
	}
}

// heard waits until an ear has come to the end and expects that it saw every
// acknowledged message once, in order, or a gap in its place; it returns how
// many gaps.
func (w *world) heard(name string, s *side) (gaps int) {
	w.t.Helper()
	for _, c := range w.channels {
		want := w.acked[c]
		w.reach(name, s, c, want[len(want)-1].seq)
		seen := s.ear.of(c)
		last := s.ear.from[c]
		for len(want) > 0 && want[0].seq <= last {
			want = want[1:]
		}
		gapped := false
		for _, g := range seen {
			if g.seq <= last {
				w.t.Fatalf("%s: %s: %d comes behind %d", name, c, g.seq, last)
			}
			last = g.seq
			if g.gap {
				gaps, gapped = gaps+1, true
				continue
			}
			for gapped && len(want) > 0 && want[0].seq < g.seq {
				want = want[1:]
			}
			gapped = false
			switch {
			case len(want) > 0 && want[0].seq == g.seq:
				if !bytes.Contains([]byte(g.text), []byte(want[0].text)) {
					w.t.Fatalf("%s: %s: %d is %s, acknowledged was %s", name, c, g.seq, g.text, want[0].text)
				}
				want = want[1:]
			case len(want) > 0 && want[0].seq < g.seq:
				w.t.Fatalf("%s: %s: %d is missing before %d", name, c, want[0].seq, g.seq)
			default:
				w.uncertain(name, c, g)
			}
		}
		if len(want) > 0 && !gapped {
			w.t.Fatalf("%s: %s: %d messages are missing at the end", name, c, len(want))
		}
	}
	return gaps
}

// uncertain expects that a message that was not acknowledged is one whose
// publisher does not know.
func (w *world) uncertain(name, channel string, g sight) {
	w.t.Helper()
	for text := range w.unsure {
		if bytes.Contains([]byte(g.text), []byte(text)) {
			return
		}
	}
	w.t.Fatalf("%s: %s: %d was never acknowledged: %s", name, channel, g.seq, g.text)
}

// reach waits until an ear has seen a channel up to a seq.
func (w *world) reach(name string, s *side, channel string, seq uint64) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		seen := s.ear.of(channel)
		if len(seen) > 0 && seen[len(seen)-1].seq >= seq {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("%s: %s: %d did not come within 20 s", name, channel, seq)
		}
		select {
		case <-time.After(time.Millisecond):
		case <-w.t.Context().Done():
		}
	}
}
