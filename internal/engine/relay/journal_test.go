package relay_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/journal"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

// TestMove_AJournalGoesAlong has a new process open the folder that the old
// one gave back, and the old one open it again when the new one is gone.
func TestMove_AJournalGoesAlong(t *testing.T) {
	dir := t.TempDir()
	open := func(h engine.Sink) *journal.Engine {
		t.Helper()
		j, err := journal.Open(journal.Config{Dir: dir, Rules: plenty}, h)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	var j *journal.Engine
	make := func(h *hub.Hub) (engine.Engine, *ledger.Ledger) {
		j = open(h)
		return j, j.Ledger
	}
	w := &world{t: t, rng: seeded(t), channels: []string{"c0", "c1"}, acked: map[string][]posted{}, unsure: map[string]bool{}, feeding: newFeeding()}
	w.old = newSide(t, make)
	first := j
	for _, c := range w.channels {
		w.old.ear.join(c)
	}
	w.publishers("old", w.old, 3)
	pause(10)
	if err := w.old.door.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.old.door.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	w.new = newSide(t, make)
	second := j
	for _, c := range w.channels {
		w.new.ear.join(c)
	}
	here, there := net.Pipe()
	w.feed, w.link = follow(t, w.old.door, w.new.door.Ledger(), func(testing.TB) (net.Conn, net.Conn) { return here, there })
	var feeding sync.WaitGroup
	feeding.Go(func() { _ = w.feed.Run(t.Context(), w.new.door) })
	w.publishers("new", w.new, 2)
	pause(50)
	w.settle()
	if n := w.heard("new", w.new); n > 0 {
		t.Errorf("the new process tells %d gaps", n)
	}
	if n := w.heard("old", w.old); n > 0 {
		t.Errorf("the old process tells %d gaps", n)
	}
	there.Close()
	feeding.Wait()
	w.new.stop()
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	<-w.link.Done()
	third := open(w.old.hub)
	w.old.door.Take(third, third.Ledger)
	w.halt.Store(false)
	for range 10 {
		w.publish(w.old, wire.Publication{Channel: "c0", Data: []byte(`"last"`)})
	}
	w.settle()
	if n := w.heard("old", w.old); n > 0 {
		t.Errorf("the old process tells %d gaps after an orderly end", n)
	}
	w.old.stop()
	if err := third.Close(); err != nil {
		t.Error(err)
	}
}

func newFeeding() chan error { return make(chan error, 1) }

func pause(ms int) { <-time.After(time.Duration(ms) * time.Millisecond) }
