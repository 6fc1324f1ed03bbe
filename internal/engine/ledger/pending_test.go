package ledger_test

import (
	"fmt"
	"slices"
	"testing"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

var errDisk = wire.Errorf(wire.Unavailable, "the disk is full")

// orders is a ledger that is used by halves, and what publishers were told.
type orders struct {
	*ledger.Ledger
	sink sink
	told []string
}

func newOrders(maxKeys int) *orders {
	o := &orders{}
	o.Ledger = ledger.New(&o.sink, ledger.Options{Epoch: "e", Rules: hundred, MaxKeys: maxKeys})
	return o
}

// order orders a message of channel a. name stands for its publisher.
func (o *orders) order(t *testing.T, name, key string) *ledger.Pending {
	t.Helper()
	m, ack, later, err := o.Order(wire.Publication{Channel: "a", Key: key, Data: []byte(`1`)}, func(ack engine.Ack, err error) {
		o.told = append(o.told, told(name, ack, err))
	})
	if !later {
		o.told = append(o.told, told(name, ack, err))
	}
	return m
}

func told(name string, ack engine.Ack, err error) string {
	switch {
	case err != nil:
		return name + ": " + string(err.(*wire.Error).Code)
	case ack.Duplicate:
		return fmt.Sprintf("%s: as %d", name, ack.ID.Seq)
	}
	return fmt.Sprintf("%s: %d", name, ack.ID.Seq)
}

func (o *orders) expect(t *testing.T, top uint64, delivered []uint64, told ...string) {
	t.Helper()
	if got := read(t, o.Ledger, "a", 0); got.Top.Seq != top || got.Count != len(delivered) || !slices.Equal(o.sink.seqs(), delivered) {
		t.Errorf("top %d, %d held, delivered %v; want %d and %v", got.Top.Seq, got.Count, o.sink.seqs(), top, delivered)
	}
	if !slices.Equal(o.told, told) {
		t.Errorf("told %q, want %q", o.told, told)
	}
}

func TestOrder_ShowsNothingBeforeCommit(t *testing.T) {
	o := newOrders(0)
	m := o.order(t, "p", "")
	o.expect(t, 0, nil)
	o.Commit([]*ledger.Pending{m})
	o.expect(t, 1, []uint64{1}, "p: 1")
	if at := o.Attach("a"); at.Seq != 1 {
		t.Errorf("attached at %v", at)
	}
}

func TestCommit_KeepsTheOrderWhateverIsDecidedFirst(t *testing.T) {
	o := newOrders(0)
	first, second, third := o.order(t, "p", ""), o.order(t, "q", ""), o.order(t, "r", "")
	o.Commit([]*ledger.Pending{third})
	o.expect(t, 0, nil)
	o.Commit([]*ledger.Pending{first})
	o.expect(t, 1, []uint64{1}, "p: 1")
	o.Abandon([]*ledger.Pending{second}, errDisk)
	o.expect(t, 3, []uint64{1, 3}, "p: 1", "q: unavailable", "r: 3")
	if m := o.sink.got[1]; m.Prev != 1 {
		t.Errorf("3 follows %d", m.Prev)
	}
}

func TestOrder_ARepeatLearnsTheOutcomeOfTheFirst(t *testing.T) {
	o := newOrders(0)
	first := o.order(t, "p", "k")
	if o.order(t, "q", "k") != nil {
		t.Fatal("a repeat has a place of its own")
	}
	o.expect(t, 0, nil)
	o.Commit([]*ledger.Pending{first})
	o.order(t, "r", "k")
	o.expect(t, 1, []uint64{1}, "p: 1", "q: as 1", "r: as 1")
}

func TestAbandon_FreesTheKey(t *testing.T) {
	o := newOrders(1)
	first := o.order(t, "p", "k")
	o.order(t, "q", "k")
	if o.order(t, "r", "other") != nil {
		t.Error("there was room for another key")
	}
	o.Abandon([]*ledger.Pending{first}, errDisk)
	again := o.order(t, "s", "k")
	o.Commit([]*ledger.Pending{again})
	o.expect(t, 2, []uint64{2}, "r: overloaded", "p: unavailable", "q: unavailable", "s: 2")
}

func TestCommit_IsNotCollected(t *testing.T) {
	var o orders
	changed := 0
	o.Ledger = ledger.New(&o.sink, ledger.Options{Epoch: "e", Rules: ledger.Rules{Default: ledger.Keep{Messages: 2}}, Changed: func(int) { changed++ }})
	for _, key := range []string{"k", "l"} {
		o.Commit([]*ledger.Pending{o.order(t, "p", key)})
	}
	if changed > 0 {
		t.Error("what is stored already counts as changed")
	}
	for range 3 {
		o.Commit([]*ledger.Pending{o.order(t, "p", "")})
	}
	c := o.Collect(ledger.Shard("a"))
	if changed != 1 || len(c.Channels) != 1 || c.Channels[0].First != nil || c.Channels[0].Gone != 3 || len(c.Keys) > 0 {
		t.Errorf("told %d times, collected %+v", changed, c)
	}
}
