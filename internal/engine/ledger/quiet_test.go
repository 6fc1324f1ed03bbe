package ledger_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// ears is a sink that listens to the channels it was given.
type ears struct {
	nothing
	names sync.Map
}

func (e *ears) Listens(name string) bool {
	_, ok := e.names.Load(name)
	return ok
}

// siblings returns so many channels of one shard.
func siblings(n int) (names []string) {
	for i := 0; len(names) < n; i++ {
		if name := fmt.Sprint("channel-", i); ledger.Shard(name) == 0 {
			names = append(names, name)
		}
	}
	return names
}

// TestQuiet_IsExactWhileSomebodyListensAndForThousandsOfOthersThen forgets so
// many channels that nothing is noted of single ones any more.
func TestQuiet_IsExactWhileSomebodyListensAndForThousandsOfOthersThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &ears{}
		l := ledger.New(sink, ledger.Options{Epoch: "e", Rules: hundred})
		go func() { _ = l.Run(t.Context()) }()
		names := siblings(15_000)
		quiet, passing, last, others := names[0], names[1], names[2], names[3:]
		flood := func(n int) {
			for _, name := range others[:n] {
				publish(t, l, name, `1`)
			}
			others = others[n:]
			time.Sleep(11 * time.Minute)
		}
		flood(1)
		sink.names.Store(quiet, true)
		place := l.Attach(quiet)
		l.Detach(quiet) // as of another listener that was late: somebody does listen
		before := l.Attach(passing)
		flood(6000)
		if p := read(t, l, quiet, place.Seq); !p.Complete {
			t.Errorf("a channel is called incomplete while somebody listens: %s", p.Gap)
		}
		if p := read(t, l, passing, before.Seq); !p.Complete {
			t.Errorf("a channel that is attached is called incomplete: %s", p.Gap)
		}
		published := publish(t, l, last, `1`)
		sink.names.Delete(quiet)
		l.Detach(quiet)
		flood(2000)
		if p := read(t, l, quiet, place.Seq); !p.Complete {
			t.Errorf("a channel is called incomplete that was left a while ago: %s", p.Gap)
		}
		for seq, complete := range map[uint64]bool{published.Seq - 1: false, published.Seq: true} {
			if p := read(t, l, last, seq); p.Complete != complete {
				t.Errorf("behind %d, complete is %v; %d went a while ago", seq, p.Complete, published.Seq)
			}
		}
		flood(6000)
		for _, name := range []string{quiet, last} {
			if p := read(t, l, name, published.Seq); p.Complete || p.Gap != wire.GapExpired {
				t.Errorf("%s: nothing can be known any more, but complete is %v, gap %q", name, p.Complete, p.Gap)
			}
			if p := read(t, l, name, read(t, l, name, 0).Top.Seq); !p.Complete {
				t.Errorf("%s: nothing is behind the newest place, but it is called incomplete", name)
			}
		}
	})
}

// TestKey_IsRememberedThoughTheClockWasPutBack has keys expire behind one
// that came before them and is younger.
func TestKey_IsRememberedThoughTheClockWasPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		collect := ledger.New(nothing{}, ledger.Options{Epoch: "e", Rules: hundred, Changed: func(int) {}})
		post := func(l *ledger.Ledger, key string) bool {
			ack, err := l.Publish(t.Context(), wire.Publication{Channel: "a", Key: key, Data: []byte(`1`)})
			if err != nil {
				t.Fatal(err)
			}
			return ack.Duplicate
		}
		post(collect, "early")
		post(collect, "late")
		keys := collect.Collect(ledger.Shard("a")).Keys
		keys[1].At -= int64(119 * time.Second)
		l := ledger.New(nothing{}, ledger.Options{Epoch: "e", Rules: hundred})
		l.RestoreShard(ledger.Shard("a"), ledger.State{Start: 3, Durable: 2, Keys: keys})
		time.Sleep(2 * time.Second)
		if post(l, "late") {
			t.Error("a key is remembered for more than two minutes")
		}
		time.Sleep(119 * time.Second)
		post(l, "other")
		if !post(l, "late") {
			t.Error("a key is forgotten within two minutes")
		}
	})
}

func TestRestore_TheOldestGoFirstInWhateverOrderTheyCame(t *testing.T) {
	names := siblings(30)
	l := ledger.New(nothing{}, ledger.Options{Epoch: "e", Rules: ledger.Rules{Default: ledger.Keep{Messages: 100}}, MaxBytes: 5_000})
	now := time.Now()
	at := func(i int) time.Time { return now.Add(-time.Duration(i*7%30) * time.Minute) }
	for i, name := range names {
		id := wire.ID{Epoch: "e", Seq: uint64(i + 1)}
		l.Restore(name, 0, append(stored(), engine.NewMessage(wire.Publication{Channel: name, Data: []byte(`1`)}, id, at(i))))
	}
	l.RestoreShard(0, ledger.State{Start: 40, Durable: 39})
	kept, oldest, gone := 0, now, time.Time{}
	for i, name := range names {
		if read(t, l, name, 0).Count == 0 {
			if at(i).After(gone) {
				gone = at(i)
			}
			continue
		}
		kept++
		if at(i).Before(oldest) {
			oldest = at(i)
		}
	}
	if kept < 5 || kept == len(names) || gone.After(oldest) {
		t.Errorf("%d are kept; the youngest that went is of %v, the oldest kept of %v", kept, gone, oldest)
	}
}
