package hub_test

import (
	"strings"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

// TestResume_IsNotCompleteWhereALogTellsOfAGap resumes in a log that was
// restored after a crash: what the crash lost is told where it was.
func TestResume_IsNotCompleteWhereALogTellsOfAGap(t *testing.T) {
	var e ear
	h := hub.New()
	l := ledger.New(h, ledger.Options{Epoch: "e", Rules: ledger.Rules{Default: ledger.DefaultKeep}})
	h.Use(l, []hub.Listener{&e})
	before := []*chanlog.Entry{
		engine.NewMessage(wire.Publication{Channel: "a", Data: []byte(`1`)}, wire.ID{Epoch: "e", Seq: 1}, time.Now()),
		engine.NewMessage(wire.Publication{Channel: "a", Data: []byte(`2`)}, wire.ID{Epoch: "e", Seq: 2}, time.Now()),
	}
	l.Restore("a", 0, before)
	l.RestoreShard(ledger.Shard("a"), ledger.State{Start: 10, Durable: 2})
	f := h.Join("a", &e)
	f.Members.Add(1)
	last := publish(t, h, "a", `3`).ID
	_, place := f.Take()
	for since, want := range map[uint64]struct {
		messages int
		complete bool
		before   uint64 // seq of the place before what is sent first
	}{1: {2, false, 1}, 2: {1, false, 2}, 8: {1, false, 2}, 9: {1, true, 9}, last.Seq: {0, true, 0}} {
		r, err := h.Resume(f, wire.ID{Epoch: "e", Seq: since}, place)
		if err != nil || r.Messages != want.messages || r.Complete != want.complete || r.Gap != "" {
			t.Errorf("since %d: %d messages, complete %v, gap %q, %v; want %+v and a gap told in its place alone", since, r.Messages, r.Complete, r.Gap, err, want)
		}
		if place := (wire.ID{Epoch: "e", Seq: want.before}); want.messages > 0 && f.Before(r.First) != place {
			t.Errorf("since %d: who is sent nothing yet stands at %v, want %v", since, f.Before(r.First), place)
		}
	}
	if r, err := h.Resume(f, wire.ID{Epoch: "other", Seq: 1}, place); err != nil || r.Complete || r.Gap != wire.GapRestarted {
		t.Errorf("from another epoch: %+v, %v", r, err)
	}
}

// TestResume_LeadsOnFromWhatTheEngineHasLetGoOf has the engine drop what a
// session was given to walk on from before anything follows it.
func TestResume_LeadsOnFromWhatTheEngineHasLetGoOf(t *testing.T) {
	var e ear
	h := hub.New()
	h.Use(ledger.New(h, ledger.Options{Epoch: "e", Rules: ledger.Rules{Default: ledger.DefaultKeep}, MaxBytes: 4000}), []hub.Listener{&e})
	f := h.Join("a", &e)
	f.Members.Add(1)
	publish(t, h, "a", `1`)
	_, place := f.Take()
	f.Settle()
	r, err := h.Resume(f, wire.ID{Epoch: "e", Seq: place.Seq - 1}, place)
	if err != nil || r.First == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	publish(t, h, "b", `"`+strings.Repeat("x", 8000)+`"`)
	if page, err := h.History("a", wire.ID{}, 10, 1000); err != nil || page.Count > 0 {
		t.Fatalf("the engine still holds %d messages, %v", page.Count, err)
	}
	publish(t, h, "a", `2`)
	if b, _ := f.Take(); b.First == nil || r.Last.Next() != b.First {
		t.Error("what is replayed does not lead on to what was published since")
	}
}
