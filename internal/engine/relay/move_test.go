package relay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/engine/relay"
	"holdfast.dev/holdfast/internal/wire"
)

// TestMove_EveryListenerSeesEverythingOnceAndInOrder moves ownership to
// another process and back while both are published to.
func TestMove_EveryListenerSeesEverythingOnceAndInOrder(t *testing.T) {
	for range 5 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, plenty)
			w.publishers("old", w.old, 4)
			time.Sleep(20 * time.Millisecond)
			here, there := net.Pipe()
			w.move(plenty, here, there)
			w.publishers("new", w.new, 3)
			time.Sleep(50 * time.Millisecond)
			w.backInOrder()
			time.Sleep(20 * time.Millisecond)
			w.settle()
			if n := w.heard("old", w.old); n > 0 {
				t.Errorf("the old process tells %d gaps", n)
			}
			if len(w.unsure) > 0 {
				t.Errorf("%d publications are uncertain", len(w.unsure))
			}
			w.old.stop()
		})
	}
}

// backInOrder has the new process say goodbye.
func (w *world) backInOrder() {
	w.t.Helper()
	w.halt.Store(true)
	w.wg.Wait() // its own publishers would wait for ever
	w.halt.Store(false)
	w.publishers("again", w.old, 3)
	if err := w.new.door.Pause(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if err := w.feed.Goodbye(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if err := <-w.feeding; err != nil {
		w.t.Error(err)
	}
	<-w.link.Done()
	if err := w.link.Err(); err != nil {
		w.t.Error(err)
	}
	w.old.door.Promote()
	w.new.stop()
}

// TestMove_GoesOnWhenTheNewProcessDies breaks the link at any time and
// expects that the old process serves on, with gaps where something may be
// lost.
func TestMove_GoesOnWhenTheNewProcessDies(t *testing.T) {
	for round := range 10 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, plenty)
			w.publishers("old", w.old, 4)
			time.Sleep(5 * time.Millisecond)
			here, there := net.Pipe()
			w.move(plenty, here, there)
			w.publishers("new", w.new, 3)
			time.Sleep(time.Duration(round) * 3 * time.Millisecond)
			there.Close()
			<-w.link.Done()
			if w.link.Err() == nil {
				t.Error("a broken link ends without an error")
			}
			w.new.hub.Refuse(wire.Errorf(wire.Uncertain, "dead"))
			<-w.feeding
			w.old.door.Promote()
			time.Sleep(20 * time.Millisecond)
			w.settle()
			if n := w.heard("old", w.old); n != len(w.channels) {
				t.Errorf("%d gaps are told in %d channels", n, len(w.channels))
			}
			w.new.stop()
			w.old.stop()
		})
	}
}

// slow is a connection that is read from slowly.
type slow struct {
	net.Conn
	mu   sync.Mutex
	hold bool
	free *sync.Cond
}

func newSlow(c net.Conn) *slow {
	s := &slow{Conn: c}
	s.free = sync.NewCond(&s.mu)
	return s
}

func (s *slow) Read(b []byte) (int, error) {
	s.mu.Lock()
	for s.hold {
		s.free.Wait()
	}
	s.mu.Unlock()
	return s.Conn.Read(b)
}

func (s *slow) stall(hold bool) {
	s.mu.Lock()
	s.hold = hold
	s.mu.Unlock()
	s.free.Broadcast()
}

// TestMove_ASlowOldProcessHoldsUpNobody stalls the link until the queue is
// full, and on; publishing in the new process goes on, and the old one sees
// what is kept, or a gap.
func TestMove_ASlowOldProcessHoldsUpNobody(t *testing.T) {
	for name, rules := range map[string]ledger.Rules{"all": plenty, "few": {Default: ledger.Keep{Messages: 1000, Age: time.Hour}}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, rules)
				here, there := net.Pipe()
				conn := newSlow(here)
				w.move(rules, conn, there)
				for round := range 2 {
					conn.stall(true)
					for i := range 40_000 {
						w.publish(w.new, wire.Publication{Channel: w.channels[i%6], Data: fmt.Appendf(nil, `"%d-%d"`, round, i)})
					}
					conn.stall(false)
				}
				w.publishers("old", w.old, 1)
				time.Sleep(5 * time.Millisecond)
				w.settle()
				if n := w.heard("new", w.new); n > 0 {
					t.Errorf("the new process tells %d gaps", n)
				}
				if n := w.heard("old", w.old); (n > 0) != (name == "few") {
					t.Errorf("the old process tells %d gaps", n)
				}
				if w.feed.Holes() == 0 {
					t.Error("the queue was never full")
				}
				there.Close()
				<-w.feeding
				w.new.stop()
				w.old.stop()
			})
		})
	}
}

// TestMove_KeysHoldOnBothSides repeats publications in the other process.
func TestMove_KeysHoldOnBothSides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, plenty)
		publish := func(s *side, key string) engine.Ack {
			t.Helper()
			ack, err := s.door.Publish(t.Context(), wire.Publication{Channel: "c0", Key: key, Data: []byte(`1`)})
			if err != nil {
				t.Fatal(err)
			}
			return ack
		}
		again := func(s *side, key string, want engine.Ack) {
			t.Helper()
			if ack := publish(s, key); !ack.Duplicate || ack.ID != want.ID || !ack.Time.Equal(want.Time) {
				t.Errorf("the repeat of %+v is answered %+v", want, ack)
			}
		}
		before := publish(w.old, "before")
		here, there := net.Pipe()
		w.move(plenty, here, there)
		again(w.new, "before", before)
		again(w.old, "before", before)
		byOld, byNew := publish(w.old, "old"), publish(w.new, "new")
		again(w.new, "old", byOld)
		again(w.old, "new", byNew)
		w.backInOrder()
		w.settle()
		again(w.old, "before", before)
		again(w.old, "old", byOld)
		again(w.old, "new", byNew)
		w.old.stop()
	})
}

// TestPause_HoldsPublicationsBack expects that they wait, in their order, no
// longer than Patience, and can be taken back.
func TestPause_HoldsPublicationsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, plenty)
		defer w.old.stop()
		d := w.old.door
		if err := d.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := d.Pause(t.Context()); err == nil {
			t.Error("paused twice")
		}
		var order []string
		for i := range 5 {
			_, later, err := d.Submit(wire.Publication{Channel: "c0", Data: fmt.Append(nil, i)}, func(_ engine.Ack, err error) { order = append(order, fmt.Sprintf("%d%v", i, err)) })
			if !later || err != nil {
				t.Fatalf("later is %v: %v", later, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := d.Publish(ctx, wire.Publication{Channel: "c0", Data: []byte(`"late"`)}); code(err) != wire.Unavailable {
			t.Errorf("a publication that could not wait is told %v", err)
		}
		d.Resume()
		if got := strings.Join(order, " "); got != "0<nil> 1<nil> 2<nil> 3<nil> 4<nil>" {
			t.Errorf("published: %s", got)
		}
		if err := d.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := d.Publish(t.Context(), wire.Publication{Channel: "c0", Data: []byte(`1`)}); code(err) != wire.Unavailable || time.Since(began) != relay.Patience {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		d.Resume()
		p, _ := d.Newest(t.Context(), "c0", 10)
		if p.Count != 5 {
			t.Errorf("%d messages are there, want 5", p.Count)
		}
	})
}

func code(err error) wire.Code {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return e.Code
	}
	return ""
}

// stuck is an engine whose publications come to no end.
type stuck struct{ *memory.Engine }

func (stuck) Publish(ctx context.Context, _ wire.Publication) (engine.Ack, error) {
	<-ctx.Done()
	return engine.Ack{}, wire.Errorf(wire.Uncertain, "stuck")
}

func TestPause_GivesUpWhenPublishesDoNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New(deaf{})
		d := relay.New(deaf{}, stuck{m}, m.Ledger)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		stop, end := context.WithCancel(t.Context())
		wg.Go(func() { _, _ = d.Publish(stop, wire.Publication{Channel: "a", Data: []byte(`1`)}) })
		synctest.Wait()
		if err := d.Pause(ctx); err == nil || err.Error() != "1 messages were still being published: context deadline exceeded" {
			t.Errorf("%v", err)
		}
		end()
		wg.Wait()
		if err := d.Pause(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestGreet_RefusesWhatDoesNotFit expects that both sides are told why.
func TestGreet_RefusesWhatDoesNotFit(t *testing.T) {
	old, other := memory.New(deaf{}), memory.New(deaf{})
	behind := ledger.New(deaf{}, ledger.Options{Epoch: old.Epoch()})
	if _, err := old.Publish(t.Context(), wire.Publication{Channel: "a", Data: []byte(`1`)}); err != nil {
		t.Fatal(err)
	}
	for want, l := range map[string]*ledger.Ledger{"epoch": other.Ledger, "shard": behind} {
		here, there := net.Pipe()
		told := make(chan error, 1)
		go func() {
			_, err := relay.Answer(t.Context(), there, l)
			told <- err
		}()
		_, err := relay.Greet(t.Context(), here, old.Ledger)
		for _, err := range []error{err, <-told} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want something about the %s", err, want)
			}
		}
	}
}

func TestGreet_EndsWhenNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, there) }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := relay.Greet(ctx, here, memory.New(deaf{}).Ledger); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

// TestLink_SaysTrulyWhatBecameOfWhatWasSent has the owner not answer.
func TestLink_SaysTrulyWhatBecameOfWhatWasSent(t *testing.T) {
	p := wire.Publication{Channel: "c0", Data: []byte(`1`)}
	away := func(t *testing.T) (w *world, there net.Conn) {
		w = newWorld(t, plenty)
		here, there := net.Pipe()
		w.move(plenty, here, there)
		if err := w.new.door.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		return w, there
	}
	end := func(w *world) {
		<-w.feeding
		w.new.stop()
		w.old.stop()
	}
	t.Run("the owner dies", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, there := away(t)
			time.AfterFunc(time.Second, func() { there.Close() })
			if _, err := w.old.door.Publish(t.Context(), p); code(err) != wire.Uncertain {
				t.Errorf("%v", err)
			}
			end(w)
		})
	})
	t.Run("the publisher leaves", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, there := away(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := w.old.door.Publish(ctx, p); code(err) != wire.Uncertain {
				t.Errorf("%v", err)
			}
			there.Close()
			end(w)
		})
	})
	t.Run("the owner says goodbye", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, _ := away(t)
			var order strings.Builder
			for i := range 100 {
				if _, later, err := w.old.door.Submit(p, func(ack engine.Ack, err error) { fmt.Fprint(&order, i, ack.ID.Seq == uint64(i+1), err, " ") }); !later || err != nil {
					t.Fatal(later, err)
				}
			}
			synctest.Wait()
			if err := w.feed.Goodbye(t.Context()); err != nil {
				t.Fatal(err)
			}
			<-w.link.Done()
			w.old.door.Promote()
			var want strings.Builder
			for i := range 100 {
				fmt.Fprint(&want, i, true, error(nil), " ")
			}
			if order.String() != want.String() {
				t.Errorf("%s", &order)
			}
			end(w)
		})
	})
}

// FuzzLink gives both ends of a link nonsense.
func FuzzLink(f *testing.F) {
	f.Add([]byte{0, 0, 0, 3, 4, 1, 0}, true)
	f.Add([]byte{0, 0, 0, 8, 5, 1, 'a', 1, 1, 0, 0, '1'}, false)
	f.Add([]byte{0, 0, 0, 1, 8, 0, 0, 0, 0, 1, 2, 3, 4}, false)
	f.Fuzz(func(t *testing.T, text []byte, owner bool) {
		m := memory.New(deaf{})
		replica := ledger.New(deaf{}, ledger.Options{Epoch: m.Epoch()})
		d := relay.New(deaf{}, replica, replica)
		if err := d.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		var conns [2]net.Conn
		feed, link := follow(t, d, m.Ledger, func(testing.TB) (net.Conn, net.Conn) {
			conns[0], conns[1] = net.Pipe()
			return conns[0], conns[1]
		})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		if owner {
			wg.Go(func() { _ = feed.Run(ctx, m) })
			go func() { _, _ = io.Copy(io.Discard, conns[0]) }()
			_, _ = conns[0].Write(text)
			conns[0].Close()
		} else {
			wg.Go(func() { _ = d.Run(ctx) })
			_, _ = conns[1].Write(text)
			conns[1].Close()
			<-link.Done()
			_ = feed.Close()
		}
		cancel()
		wg.Wait()
	})
}
