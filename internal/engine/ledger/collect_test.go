package ledger_test

import (
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

func TestCollect_ReturnsEachEntryOnceAndNoneThatWentMeanwhile(t *testing.T) {
	changed := 0
	l := ledger.New(&sink{}, ledger.Options{Epoch: "e", Rules: ledger.Rules{Default: ledger.Keep{Messages: 5}}, Changed: func(int) { changed++ }})
	collect := func(want string, gone uint64) {
		t.Helper()
		c := l.Collect(ledger.Shard("a"))
		if len(c.Channels) != 1 || c.Channels[0].Channel != "a" || c.Channels[0].Gone != gone || text(c.Channels[0].First, c.Channels[0].Last) != want {
			t.Fatalf("collected %q and %+v, want %q behind %d", text(c.Channels[0].First, c.Channels[0].Last), c, want, gone)
		}
	}
	post := func(n int) {
		for range n {
			publish(t, l, "a", `1`)
		}
	}
	post(2)
	if changed != 1 {
		t.Fatalf("told %d times that something changed", changed)
	}
	collect("1 2", 0)
	if c := l.Collect(ledger.Shard("a")); len(c.Channels) > 0 || c.Seq != 2 {
		t.Fatalf("collected %+v anew", c)
	}
	post(4)
	collect("3 4 5 6", 1)
	post(9)
	collect("11 12 13 14 15", 10)
	if changed != 3 {
		t.Errorf("told %d times, 3 changes were collected", changed)
	}
}

func TestCollect_SaysWhichKeysCameAndWhatIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ledger.New(&sink{}, ledger.Options{Epoch: "e", Rules: hundred, Changed: func(int) {}})
		go func() { _ = l.Run(t.Context()) }()
		if _, err := l.Publish(t.Context(), wire.Publication{Channel: "a", Key: "k", Data: []byte(`1`)}); err != nil {
			t.Fatal(err)
		}
		c := l.Collect(ledger.Shard("a"))
		if len(c.Keys) != 1 || c.Keys[0].Seq != 1 || c.Forgotten != 0 {
			t.Fatalf("collected %+v", c)
		}
		time.Sleep(11 * time.Minute)
		c = l.Collect(ledger.Shard("a"))
		if len(c.Keys) != 0 || c.Forgotten != 1 || len(c.Channels) != 1 || !c.Channels[0].Forgotten || c.Channels[0].Gone != 1 || c.Channels[0].First != nil {
			t.Fatalf("collected %+v", c)
		}
		publish(t, l, "a", `1`)
		if c = l.Collect(ledger.Shard("a")); len(c.Channels) != 1 || c.Channels[0].Forgotten || text(c.Channels[0].First, c.Channels[0].Last) != "2" {
			t.Fatalf("collected %+v", c)
		}
	})
}
