package ledger_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// TestUnheard_IsTheSameToWhoeverLooks does the same with a ledger that encodes
// at once and with one that does so when somebody looks. Both must answer,
// collect, count and let go alike, and deliver alike what was listened to.
func TestUnheard_IsTheSameToWhoeverLooks(t *testing.T) {
	rng := seeded(t)
	for range 8 {
		synctest.Test(t, func(t *testing.T) {
			list := names(12)
			var both [2]*ledger.Ledger
			var ears [2]*audience
			for i := range both {
				o := mixed
				o.Changed, o.Unheard, o.MaxBytes = func(int) {}, i == 1, 60_000
				ears[i] = &audience{to: make(map[string]bool)}
				both[i] = ledger.New(hearing{ears[i]}, o)
				go func() { _ = both[i].Run(t.Context()) }()
			}
			for range 60 {
				wanderBoth(t, both, ears, rng, list)
				same(t, "bytes", both[0].HistoryBytes(), both[1].HistoryBytes())
				same(t, "evicted", both[0].Evicted(), both[1].Evicted())
				if rng.IntN(3) == 0 {
					same(t, "collected", collected(both[0]), collected(both[1]))
				}
				if rng.IntN(5) == 0 {
					same(t, "known", knows(t, both[0], list), knows(t, both[1], list))
				}
			}
			same(t, "known", knows(t, both[0], list), knows(t, both[1], list))
			same(t, "delivered", ears[0].heard(), ears[1].heard())
		})
	}
}

// hearing is an audience that notes only what it listens to.
type hearing struct{ *audience }

func (h hearing) Deliver(m engine.Message) {
	if h.Listens(m.Channel) {
		h.audience.Deliver(m)
	}
}

// heard returns, as text, what was delivered.
func (e *audience) heard() (s string) {
	for _, m := range e.got {
		s += fmt.Sprintln(m.Channel, m.Prev, m.Entry.Seq, string(m.Entry.Frame))
	}
	return s
}

// wanderBoth does the same with two ledgers.
func wanderBoth(t *testing.T, both [2]*ledger.Ledger, ears [2]*audience, rng *rand.Rand, list []string) {
	t.Helper()
	for range rng.IntN(60) {
		channel, what, event := list[rng.IntN(len(list))], rng.IntN(12), []string{"", "tick"}[rng.IntN(2)]
		data := []byte(`"` + strings.Repeat("x", rng.IntN(1<<rng.IntN(12))) + `"`)
		key := fmt.Sprint(rng.IntN(50))
		for i, l := range both {
			p := wire.Publication{Channel: channel, Event: event, Data: slices.Clone(data)}
			switch what {
			case 0, 1:
				p.Key = key
				fallthrough
			case 2, 3, 4, 5, 6, 7, 8:
				if _, err := l.Publish(t.Context(), p); err != nil {
					t.Fatal(err)
				}
				clear(p.Data) // the caller's
			case 9:
				ears[i].listen(channel, true)
				l.Attach(channel)
			case 10:
				ears[i].listen(channel, false)
				l.Detach(channel)
			}
		}
		if what == 11 && rng.IntN(4) == 0 {
			time.Sleep(time.Duration(rng.IntN(int(20 * time.Second))))
		}
	}
}

func same[T comparable](t *testing.T, what string, at0, at1 T) {
	t.Helper()
	if at0 != at1 {
		t.Fatalf("%s: %v where all is encoded at once, %v where not", what, at0, at1)
	}
}

// collected returns, as text, what changed in a ledger.
func collected(l *ledger.Ledger) (s string) {
	for shard := range 4 {
		c := l.Collect(shard)
		lines := map[string]bool{}
		for _, ch := range c.Channels {
			lines[fmt.Sprintln(ch.Channel, text(ch.First, ch.Last), ch.Gone, ch.Forgotten)] = true
		}
		s += fmt.Sprintln(shard, c.Seq, c.Forgotten, len(c.Keys), slices.Sorted(maps.Keys(lines)))
	}
	return s
}

// TestUnheard_DeliversFromTheInstantThatSomebodyListens has a listener come
// between publishes.
func TestUnheard_DeliversFromTheInstantThatSomebodyListens(t *testing.T) {
	e := &audience{to: make(map[string]bool)}
	l := ledger.New(e, ledger.Options{Epoch: "e", Rules: hundred, Unheard: true})
	for range 3 {
		publish(t, l, "a", `1`)
	}
	e.listen("a", true)
	place := l.Attach("a")
	publish(t, l, "a", `1`)
	if got := of(e.got, "a"); place.Seq != 3 || len(got) != 1 || got[0].Entry.Seq != 4 || got[0].Prev != 3 {
		t.Fatalf("attached behind %d, then got %+v", place.Seq, got)
	}
	if p := read(t, l, "a", 1); text(p.First, p.Last) != "2 3 4" || !p.Complete {
		t.Errorf("behind 1 are %q, complete is %v", text(p.First, p.Last), p.Complete)
	}
	e.listen("a", false)
	l.Detach("a")
	publish(t, l, "a", `1`)
	if got := of(e.got, "a"); len(got) != 1 {
		t.Errorf("%d messages were delivered", len(got))
	}
	if p := read(t, l, "a", 3); text(p.First, p.Last) != "4 5" {
		t.Errorf("behind 3 are %q", text(p.First, p.Last))
	}
}

// TestUnheard_ATapIsToldOfEverything has one come between publishes.
func TestUnheard_ATapIsToldOfEverything(t *testing.T) {
	l := ledger.New(nothing{}, ledger.Options{Epoch: "e", Rules: hundred, Unheard: true})
	publish(t, l, "a", `1`)
	var poured []uint64
	p := l.Snapshot(ledger.Shard("a"), 0, func(p ledger.Poured) bool {
		poured = append(poured, p.Entry.Seq)
		return true
	})
	publish(t, l, "a", `1`)
	if len(p.Channels) != 1 || text(p.Channels[0].First, p.Channels[0].Last) != "1" || !slices.Equal(poured, []uint64{2}) {
		t.Errorf("the snapshot has %+v, then came %d", p.Channels, poured)
	}
}

// TestUnheard_EncodesNothingThatNobodyLooksAt holds what a publish costs that
// goes to nobody.
func TestUnheard_EncodesNothingThatNobodyLooksAt(t *testing.T) {
	l := ledger.New(nothing{}, ledger.Options{Epoch: "e", Rules: hundred, Unheard: true})
	if n := testing.AllocsPerRun(2000, func() { publish(t, l, "a", `"a message of some length, as they are"`) }); n > 1 {
		t.Errorf("%.1f pieces of memory a publish", n) // one is of the test's own
	}
}

var _ engine.Sink = (*audience)(nil)
var _ chanlog.Maker = (*ledger.Ledger)(nil)
