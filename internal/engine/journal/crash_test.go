package journal

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// fifty keeps few messages, so that much is dropped.
var fifty = ledger.Rules{Default: ledger.Keep{Messages: 50, Age: time.Hour}}

// rehearse publishes at random and calls each after every batch with what the file
// was before and is now.
func rehearse(t *testing.T, r *rand.Rand, d Durability, batches int, each func(w *world, before, after []byte)) {
	dir := folder(t)
	e, err := Open(Config{Dir: dir, Durability: d, Rules: fifty}, []engine.Sink{nobody{}, everybody{}}[r.IntN(2)])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	w := newWorld(t)
	now := time.Now()
	before := content(t, e)
	n := 0
	for range batches {
		var waiting []func()
		for range r.IntN(60) {
			n++
			channel, text := fmt.Sprint("c", r.IntN(1+r.IntN(12))), data(r, n)
			ack, later, err := e.Submit(wire.Publication{Channel: channel, Data: []byte(text)}, func(ack engine.Ack, err error) {
				if err != nil {
					t.Errorf("publish: %v", err)
				}
				waiting = append(waiting, func() { w.note(channel, ack.ID, text) })
			})
			switch {
			case err != nil:
				t.Fatal(err)
			case !later:
				w.note(channel, ack.ID, text)
			}
		}
		now = now.Add(time.Duration(r.IntN(700)) * time.Millisecond)
		e.step(now)
		after := content(t, e)
		each(w, before, after)
		for _, note := range waiting {
			note()
		}
		before = after
	}
}

// TestCrash_InAnyPartOfATransactionLosesNothingThatWasPromised puts together
// what a disk may hold when the power fails: of the pages that a transaction
// writes before it syncs, any; then, with all of them, of its head the
// sectors that got there.
func TestCrash_InAnyPartOfATransactionLosesNothingThatWasPromised(t *testing.T) {
	for _, d := range []Durability{Async, Sync} {
		t.Run([]string{"async", "sync"}[d], func(t *testing.T) {
			r := rand.New(rand.NewPCG(seeded(t), 1))
			batches := 40
			if testing.Short() {
				batches = 10
			}
			rehearse(t, r, d, batches, func(w *world, before, after []byte) {
				for range 3 {
					torn := tear(r, before, after)
					e := open(t, Config{Dir: copied(t, torn), Durability: d, Rules: fifty})
					w.check(e, d == Sync)
					w.goesOn(e)
					if err := e.Close(); err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}

const page = 4096

// tear returns a file between two states.
func tear(r *rand.Rand, before, after []byte) []byte {
	torn := bytes.Clone(after)
	if r.IntN(8) == 0 {
		return torn // all of it got there
	}
	// The heads are written last.
	copy(torn[:2*page], before[:min(len(before), 2*page)])
	share := r.IntN(3)
	for at := 2 * page; at < len(torn); at += page {
		if share == 0 || share == 1 && r.IntN(2) == 0 {
			continue // this page got there
		}
		clear(torn[at:min(at+page, len(torn))])
		if at < len(before) {
			copy(torn[at:min(at+page, len(torn))], before[at:])
		}
	}
	if share != 0 && r.IntN(2) == 0 && len(before) < len(torn) {
		torn = torn[:len(before)] // nor did the growth
	}
	return torn
}

// goesOn publishes a little and expects that no seq is given out that anybody
// has seen.
func (w *world) goesOn(e *Engine) {
	w.Helper()
	for channel, list := range w.channels {
		var told engine.Ack
		ack, later, err := e.Submit(wire.Publication{Channel: channel, Data: []byte(`"on"`)}, func(ack engine.Ack, err error) {
			if err != nil {
				w.Errorf("publish: %v", err)
			}
			told = ack
		})
		if err != nil {
			w.Fatal(err)
		}
		if later {
			e.step(time.Now())
			ack = told
		}
		if last := list[len(list)-1].id; ack.ID.Seq <= last.Seq || ack.ID.Epoch != last.Epoch {
			w.Fatalf("%s: %v was given out before, %v is now", channel, last, ack.ID)
		}
	}
}

// TestCrash_OfAnIdleServerLosesNothing takes the file as it is a while after
// the last publish.
func TestCrash_OfAnIdleServerLosesNothing(t *testing.T) {
	for _, d := range []Durability{Async, Sync} {
		dir := folder(t)
		e := open(t, Config{Dir: dir, Durability: d, Rules: fifty})
		w := newWorld(t)
		now := time.Now()
		told := 0
		for i := range 300 {
			channel, text := fmt.Sprint("c", i%100), fmt.Sprint(i)
			ack, later, err := e.Submit(wire.Publication{Channel: channel, Data: []byte(text)}, func(ack engine.Ack, err error) {
				told++
				w.note(channel, ack.ID, text)
			})
			if err != nil {
				t.Fatal(err)
			}
			if !later {
				w.note(channel, ack.ID, text)
			}
			if i%10 == 0 {
				e.step(now)
			}
		}
		e.step(now)
		if told == 0 {
			t.Error("no publish waited for the disk: what was the ceiling?")
		}
		busy := open(t, Config{Dir: copied(t, content(t, e)), Durability: d, Rules: fifty})
		if lost := busy.Report().Lost; (lost > 0) != (d == Async) {
			t.Errorf("durability %d: a crash under load finds %d shards uncertain", d, lost)
		}
		w.check(busy, d == Sync)
		e.step(now.Add(2 * restAfter))
		idle := open(t, Config{Dir: copied(t, content(t, e)), Durability: d, Rules: fifty})
		if lost := idle.Report().Lost; lost > 0 {
			t.Errorf("durability %d: a crash of an idle server finds %d shards uncertain", d, lost)
		}
		w.check(idle, true)
		w.goesOn(idle)
	}
}

// TestCrash_LeftoversOfARewriteAreRemoved starts where a process died while
// it wrote a new file.
func TestCrash_LeftoversOfARewriteAreRemoved(t *testing.T) {
	dir := folder(t)
	e := open(t, Config{Dir: dir, Rules: fifty})
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(e.store.path(nextName), []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, Config{Dir: dir, Rules: fifty})
	if _, err := os.Stat(e.store.path(nextName)); !missing(err) {
		t.Errorf("%s is still there: %v", nextName, err)
	}
}
