package ledger_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// stored returns entries as a journal would have them.
func stored(seqs ...uint64) (list []*chanlog.Entry) {
	for _, seq := range seqs {
		list = append(list, engine.NewMessage(wire.Publication{Channel: "a", Data: []byte(`1`)}, wire.ID{Epoch: "e", Seq: seq}, time.Now()))
	}
	return list
}

// restored returns a ledger with channel a, that held 5, 7 and 9 behind 3.
func restored(t *testing.T, s ledger.State) *ledger.Ledger {
	t.Helper()
	l := ledger.New(&sink{}, ledger.Options{Epoch: "e", Rules: hundred, Changed: func(int) {}})
	l.Restore("a", 3, stored(5, 7, 9))
	l.RestoreShard(ledger.Shard("a"), s)
	return l
}

// sibling returns another channel in the shard of a.
func sibling() string {
	for i := 0; ; i++ {
		if name := fmt.Sprint("s", i); ledger.Shard(name) == ledger.Shard("a") {
			return name
		}
	}
}

func TestRestore_GoesOnAsIfNothingHadHappened(t *testing.T) {
	l := restored(t, ledger.State{Start: 12, Durable: 11})
	for seq, want := range map[uint64]string{2: "5 7 9", 3: "5 7 9", 5: "7 9", 8: "9", 9: "", 11: ""} {
		p := read(t, l, "a", seq)
		if text(p.First, p.Last) != want || p.Complete != (seq >= 3) {
			t.Errorf("behind %d: %q, complete is %v", seq, text(p.First, p.Last), p.Complete)
		}
	}
	if p := read(t, l, "a", 12); p.Complete || p.Gap != wire.GapRestarted {
		t.Errorf("a place that was never given out is complete: %v %q", p.Complete, p.Gap)
	}
	if p := read(t, l, sibling(), 4); !p.Complete {
		t.Errorf("another channel has a gap: %s", p.Gap)
	}
	if c := l.Collect(ledger.Shard("a")); len(c.Channels) > 0 {
		t.Errorf("what was restored counts as changed: %+v", c)
	}
	if id := publish(t, l, "a", `1`); id.Seq != 12 {
		t.Errorf("the next message is %v", id)
	}
}

func TestRestore_TellsOfALostTail(t *testing.T) {
	l := restored(t, ledger.State{Start: 1001, Durable: 10, Forgotten: 4})
	for seq, want := range map[uint64]string{3: "5 7 9 1000gap", 9: "1000gap", 500: "1000gap", 1000: ""} {
		p := read(t, l, "a", seq)
		if text(p.First, p.Last) != want || !p.Complete {
			t.Errorf("behind %d: %q, complete is %v", seq, text(p.First, p.Last), p.Complete)
		}
	}
	gap := read(t, l, "a", 9).First
	if want := `{"type":"gap","channel":"a","after":"e-9","reason":"restarted"}`; string(gap.JSON()) != want {
		t.Errorf("the gap is %s", gap.JSON())
	}
	for seq, complete := range map[uint64]bool{4: false, 10: false, 999: false, 1000: true} {
		p := read(t, l, sibling(), seq)
		if p.Complete != complete || !complete && p.Gap != wire.GapRestarted {
			t.Errorf("another channel behind %d: complete is %v, gap %q", seq, p.Complete, p.Gap)
		}
	}
	c := l.Collect(ledger.Shard("a"))
	if len(c.Channels) != 1 || text(c.Channels[0].First, c.Channels[0].Last) != "1000gap" {
		t.Errorf("collected %+v", c)
	}
	if id := publish(t, l, "a", `1`); id.Seq != 1001 {
		t.Errorf("the next message is %v", id)
	}
}

func TestRestore_KnowsKeysForTheRestOfTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := ledger.New(&sink{}, ledger.Options{Epoch: "e", Rules: hundred, Changed: func(int) {}})
		p := wire.Publication{Channel: "a", Key: "k", Data: []byte(`1`)}
		want, err := first.Publish(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		keys := first.Collect(ledger.Shard("a")).Keys
		time.Sleep(time.Minute)
		l := restored(t, ledger.State{Start: 12, Durable: 11, Keys: keys})
		if ack, err := l.Publish(t.Context(), p); err != nil || !ack.Duplicate || ack.ID != want.ID || !ack.Time.Equal(want.Time) {
			t.Errorf("%+v: %v, want %+v", ack, err, want)
		}
		time.Sleep(time.Minute)
		if ack, err := l.Publish(t.Context(), p); err != nil || ack.Duplicate {
			t.Errorf("%+v: %v", ack, err)
		}
	})
}

func TestRestore_NotesSpareQuietChannelsAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledger.New(&sink{}, ledger.Options{Epoch: "e", Rules: hundred})
		go func() { _ = l.Run(t.Context()) }()
		shard := ledger.Shard("a")
		place := l.Attach(sibling())
		last := publish(t, l, "a", `1`)
		time.Sleep(11 * time.Minute)
		notes := l.Notes(shard)
		with := ledger.New(&sink{}, ledger.Options{Epoch: "e", Rules: hundred})
		with.RestoreShard(shard, ledger.State{Start: 2, Durable: 1, Forgotten: 1, Notes: &notes})
		if p := read(t, with, sibling(), place.Seq); !p.Complete {
			t.Error("a quiet channel has a gap")
		}
		if p := read(t, with, "a", last.Seq-1); p.Complete {
			t.Error("a forgotten message is not missed")
		}
		without := ledger.New(&sink{}, ledger.Options{Epoch: "e", Rules: hundred})
		without.RestoreShard(shard, ledger.State{Start: 2, Durable: 1, Forgotten: 1})
		for _, channel := range []string{"a", sibling()} {
			if p := read(t, without, channel, place.Seq); p.Complete || p.Gap != wire.GapExpired {
				t.Errorf("%s: complete is %v, gap %q", channel, p.Complete, p.Gap)
			}
		}
	})
}

func TestRestore_KeepsNoMoreThanItMay(t *testing.T) {
	l := ledger.New(&sink{}, ledger.Options{Epoch: "e", Rules: ledger.Rules{Default: ledger.Keep{Messages: 2, Age: time.Hour}}})
	l.Restore("a", 0, stored(5, 7, 9))
	l.RestoreShard(ledger.Shard("a"), ledger.State{Start: 12, Durable: 11})
	if p := read(t, l, "a", 5); text(p.First, p.Last) != "7 9" || !p.Complete {
		t.Errorf("%q, complete is %v", text(p.First, p.Last), p.Complete)
	}
	if p := read(t, l, "a", 4); p.Complete {
		t.Error("a message that went is not missed")
	}
}

func TestRestore_GivesBackChannelsThatHoldNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledger.New(&sink{}, ledger.Options{Epoch: "e", Rules: hundred})
		l.Restore("a", 3, nil)
		l.RestoreShard(ledger.Shard("a"), ledger.State{Start: 12, Durable: 11})
		if l.HistoryBytes() == 0 {
			t.Error("a record counts for nothing")
		}
		go func() { _ = l.Run(t.Context()) }()
		time.Sleep(11 * time.Minute)
		if got := l.HistoryBytes(); got != 0 {
			t.Errorf("%d bytes are kept of nothing", got)
		}
		if before, behind := read(t, l, "a", 2), read(t, l, "a", 3); before.Complete || !behind.Complete {
			t.Errorf("behind 2 complete is %v, behind 3 %v", before.Complete, behind.Complete)
		}
	})
}

func TestRestore_AGapTakesNoMessagesRoom(t *testing.T) {
	rules := ledger.Rules{Default: ledger.Keep{Messages: 3}}
	l := ledger.New(&sink{}, ledger.Options{Epoch: "e", Rules: rules})
	l.Restore("a", 3, stored(5, 7, 9))
	l.RestoreShard(ledger.Shard("a"), ledger.State{Start: 20, Durable: 9})
	if p := read(t, l, "a", 4); text(p.First, p.Last) != "5 7 9 19gap" || !p.Complete {
		t.Errorf("held are %q, complete is %v", text(p.First, p.Last), p.Complete)
	}
	publish(t, l, "a", `1`)
	if p := read(t, l, "a", 5); text(p.First, p.Last) != "7 9 19gap 20" || !p.Complete {
		t.Errorf("held are %q, complete is %v", text(p.First, p.Last), p.Complete)
	}
	// Restarts in which messages are lost again and again.
	seq, entries := uint64(20), stored()
	for range 30 {
		l = ledger.New(&sink{}, ledger.Options{Epoch: "e", Rules: rules})
		l.Restore("a", 3, entries)
		l.RestoreShard(ledger.Shard("a"), ledger.State{Start: seq + 10, Durable: seq})
		seq, entries = seq+10, nil
		for e := read(t, l, "a", 0).First; e != nil; e = e.Next() {
			entries = append(entries, &chanlog.Entry{Seq: e.Seq, At: e.At, Kind: e.Kind, Head: e.Head, Frame: e.Frame})
		}
	}
	if len(entries) != 6 {
		t.Errorf("%d gaps are held", len(entries))
	}
}
