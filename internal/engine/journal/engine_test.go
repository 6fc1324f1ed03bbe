package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

func TestState_IsThereAfterACrash(t *testing.T) {
	e := open(t, Config{Dir: folder(t)})
	for name, text := range map[string]string{"revoked": "a,b", "drain": "", "gone": "x"} {
		if err := e.SetState(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.SetState("gone", nil); err != nil {
		t.Fatal(err)
	}
	crashed := open(t, Config{Dir: copied(t, content(t, e))})
	if got := crashed.State("revoked"); string(got) != "a,b" {
		t.Errorf("revoked is %q", got)
	}
	if got := crashed.State("drain"); got == nil || len(got) > 0 {
		t.Errorf("what was set to nothing is %#v", got)
	}
	if got := crashed.State("gone"); got != nil {
		t.Errorf("what was deleted is %q", got)
	}
	if err := e.SetState(strings.Repeat("x", 201), nil); err == nil {
		t.Error("a name of 201 bytes is taken")
	}
	if err := e.SetState("large", make([]byte, 1<<20+1)); err == nil {
		t.Error("more than a megabyte is taken")
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.SetState("late", []byte("x")); err == nil {
		t.Error("something is kept after the end")
	}
}

// TestState_SurvivesARewrite has the file written anew.
func TestState_SurvivesARewrite(t *testing.T) {
	e := open(t, Config{Dir: folder(t), Durability: Sync, Rules: fifty})
	w := newWorld(t)
	if err := e.SetState("revoked", []byte("a,b")); err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		w.submit(e, fmt.Sprint("c", i%8), fmt.Sprint(i))
		e.step(time.Now())
	}
	if ack, _, _ := e.Submit(wire.Publication{Channel: "c1", Key: "k", Data: []byte("1")}, func(ack engine.Ack, err error) { w.note("c1", ack.ID, "1") }); ack.Duplicate {
		t.Fatal("a duplicate")
	}
	e.step(time.Now())
	e.store.doubt = true
	w.submit(e, "c1", `"after"`)
	e.step(time.Now())
	if e.store.doubt {
		t.Fatal("it was not written anew")
	}
	crashed := open(t, Config{Dir: copied(t, content(t, e)), Durability: Sync, Rules: fifty})
	if got := crashed.State("revoked"); string(got) != "a,b" {
		t.Errorf("revoked is %q", got)
	}
	if r := crashed.Report(); r.Lost > 0 || r.Damaged > 0 {
		t.Errorf("the report: %+v", r)
	}
	w.check(crashed, true)
	ack, later, err := crashed.Submit(wire.Publication{Channel: "c1", Key: "k", Data: []byte("1")}, nil)
	if err != nil || later || !ack.Duplicate {
		t.Errorf("a repeat is answered %+v, %v, %v", ack, later, err)
	}
}

// TestQuiet_ChannelsAreCompleteAfterAStop listens to channels in which
// nothing happens, or not any more, through an orderly end and through a
// crash while nothing happened.
func TestQuiet_ChannelsAreCompleteAfterAStop(t *testing.T) {
	for _, orderly := range []bool{true, false} {
		for _, after := range []time.Duration{5 * time.Second, 5 * time.Minute} {
			for _, sink := range []engine.Sink{nobody{}, everybody{}} {
				t.Run(fmt.Sprintf("orderly=%v/after=%v/%T", orderly, after, sink), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { quiet(t, orderly, after, sink) })
				})
			}
		}
	}
}

// everybody is a sink that listens to every channel.
type everybody struct{ nobody }

func (everybody) Listens(string) bool { return true }

func quiet(t *testing.T, orderly bool, after time.Duration, sink engine.Sink) {
	rules := ledger.Rules{Default: ledger.Keep{Messages: 10, Age: time.Minute}}
	dir := folder(t)
	e, err := Open(Config{Dir: dir, Rules: rules}, sink)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	places := make(map[string]wire.ID)
	for i := range 50 {
		channel := fmt.Sprint("silent-", i)
		places[channel] = e.Attach(channel)
	}
	publish := func(channel string) {
		ack, err := e.Publish(t.Context(), wire.Publication{Channel: channel, Data: []byte("1")})
		if err != nil {
			t.Fatal(err)
		}
		places[channel] = ack.ID
	}
	for i := range 1000 {
		publish(fmt.Sprint("once-", i))
	}
	time.Sleep(5 * time.Minute) // all of that is forgotten
	for i := range 1000 {
		publish(fmt.Sprint("late-", i))
		if i%50 == 0 {
			time.Sleep(3 * time.Second) // some of that too
		}
	}
	time.Sleep(after)
	crashed := content(t, e)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if !orderly {
		dir = copied(t, crashed)
	}
	again, err := Open(Config{Dir: dir, Rules: rules}, nobody{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	wrong := 0
	for channel, place := range places {
		p, err := again.Read(t.Context(), channel, place, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Complete || p.Count > 0 {
			if wrong++; wrong < 5 {
				t.Errorf("%s since %v: complete is %v (%s), %d entries", channel, place, p.Complete, p.Gap, p.Count)
			}
		}
		// What came before is gone, and must be called so.
		if before := (wire.ID{Epoch: place.Epoch}); strings.HasPrefix(channel, "once") || after > rules.Default.Age && !strings.HasPrefix(channel, "silent") {
			if p, _ := again.Read(t.Context(), channel, before, 0); p.Complete {
				t.Fatalf("%s since %v is called complete", channel, before)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d channels of %d are called incomplete", wrong, len(places))
	}
}

// TestPublish_ThatWaitsForTheDiskCanBeGivenUp has the first publish of a
// shard wait for a writer that does not run.
func TestPublish_ThatWaitsForTheDiskCanBeGivenUp(t *testing.T) {
	for _, d := range []Durability{Async, Sync} {
		e := open(t, Config{Dir: folder(t), Durability: d, Rules: fifty})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		_, err := e.Publish(ctx, wire.Publication{Channel: "a", Data: []byte("1")})
		cancel()
		refusal, ok := errors.AsType[*wire.Error](err)
		want := map[Durability]wire.Code{Async: wire.Unavailable, Sync: wire.Uncertain}[d]
		if !ok || refusal.Code != want {
			t.Fatalf("given up with %v, not %s", err, want)
		}
		e.step(time.Now())
		page, err := e.Read(t.Context(), "a", wire.ID{Epoch: e.Epoch()}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if kept := page.Count > 0; kept != (d == Sync) {
			t.Errorf("durability %d: %d messages are there", d, page.Count)
		}
	}
}

// TestPublish_KeepsItsDataWhileItWaits changes the bytes that were handed in.
func TestPublish_KeepsItsDataWhileItWaits(t *testing.T) {
	for _, d := range []Durability{Async, Sync} {
		e := open(t, Config{Dir: folder(t), Durability: d, Rules: fifty})
		data := []byte(`"mine"`)
		if _, later, err := e.Submit(wire.Publication{Channel: "a", Data: data}, func(engine.Ack, error) {}); !later || err != nil {
			t.Fatal(later, err)
		}
		copy(data, `"your"`)
		e.step(time.Now())
		page, _ := e.Read(t.Context(), "a", wire.ID{Epoch: e.Epoch()}, 0)
		if page.Count != 1 || !bytes.Contains(page.First.JSON(), []byte(`"mine"`)) {
			t.Errorf("what was published is %s", page.First.JSON())
		}
	}
}

// TestPublish_IsRefusedAfterTheEnd publishes before and after Run has ended.
func TestPublish_IsRefusedAfterTheEnd(t *testing.T) {
	for _, d := range []Durability{Async, Sync} {
		e := open(t, Config{Dir: folder(t), Durability: d, Rules: fifty})
		var told error
		if _, later, err := e.Submit(wire.Publication{Channel: "a", Data: []byte("1")}, func(_ engine.Ack, err error) { told = err }); !later || err != nil {
			t.Fatal(later, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := e.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if refusal, ok := errors.AsType[*wire.Error](told); d == Async && (!ok || refusal.Code != wire.Unavailable) || d == Sync && told != nil {
			t.Errorf("durability %d: what waited was told %v", d, told)
		}
		if _, _, err := e.Submit(wire.Publication{Channel: "a", Data: []byte("1")}, nil); err != errStopping {
			t.Errorf("a publish after the end is told %v", err)
		}
	}
}

// TestPublish_BeyondWhatMayWaitIsRefused publishes much to a disk that does
// nothing.
func TestPublish_BeyondWhatMayWaitIsRefused(t *testing.T) {
	for _, d := range []Durability{Async, Sync} {
		e := open(t, Config{Dir: folder(t), Durability: d, Rules: fifty})
		waits := &e.gate.bytes
		if d == Sync {
			waits = &e.stage.bytes
		}
		*waits = maxWaitingBytes - 3 // as if much waited
		told := 0
		for i := range 5 {
			_, later, err := e.Submit(wire.Publication{Channel: "a", Data: []byte("1")}, func(engine.Ack, error) { told++ })
			if i < 3 && (!later || err != nil) {
				t.Fatalf("publish %d: %v, %v", i, later, err)
			}
			if refusal, ok := errors.AsType[*wire.Error](err); i >= 3 && (!ok || refusal.Code != wire.Overloaded) {
				t.Errorf("publish %d is told %v", i, err)
			}
		}
		*waits -= maxWaitingBytes - 3
		e.step(time.Now())
		if told != 3 || e.gate.count != 0 || e.gate.bytes != 0 || e.stage.bytes != 0 {
			t.Errorf("%d were told, %d wait of %d and %d bytes", told, e.gate.count, e.gate.bytes, e.stage.bytes)
		}
	}
}

// TestBatch_OfAHotChannelIsItsHistory publishes far more than is kept between
// two batches.
func TestBatch_OfAHotChannelIsItsHistory(t *testing.T) {
	e := open(t, Config{Dir: folder(t), Rules: fifty})
	w := newWorld(t)
	now := time.Now()
	w.submit(e, "hot", "0")
	e.step(now)
	for round := range 10 {
		for i := range 1000 {
			w.submit(e, "hot", fmt.Sprint(i))
		}
		e.writing.Lock()
		next := e.book.heads.next
		e.writing.Unlock()
		e.step(now)
		if written := e.book.heads.next - next; written > 50 {
			t.Fatalf("round %d: %d records were written, 50 are kept", round, written)
		}
	}
	for range 3 {
		now = now.Add(deadAge + time.Second)
		e.step(now)
	}
	survey, err := Examine(e.dir, 10)
	if err != nil {
		t.Fatal(err)
	}
	if h := &e.book.heads.shards[ledger.Shard("hot")]; h.count != 50 || survey.Messages != 50 || !survey.InUse {
		t.Errorf("%d records are in the file, the survey says %+v", h.count, survey)
	}
	crashed := open(t, Config{Dir: copied(t, content(t, e)), Rules: fifty})
	w.check(crashed, true)
}

// TestBatch_AfterAFailureFindsWhatWasForgotten loses what the ledger told of a
// channel that was given up.
func TestBatch_AfterAFailureFindsWhatWasForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := Open(Config{Dir: folder(t), Rules: ledger.Rules{Default: ledger.Keep{Messages: 10, Age: time.Minute}}}, nobody{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		w := newWorld(t)
		w.submit(e, "a", "1")
		e.step(time.Now())
		e.step(time.Now())
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		_ = e.Ledger.Run(ctx)
		shard := ledger.Shard("a")
		if c := e.Collect(shard); len(c.Channels) != 1 || !c.Channels[0].Forgotten {
			t.Fatalf("it was not forgotten: %+v", c)
		}
		e.behind = true // as after a failure
		e.step(time.Now())
		e.step(time.Now().Add(deadAge + time.Second))
		if n := e.book.heads.shards[shard].count; n != 0 || len(e.book.places) != 0 {
			t.Errorf("%d records are in the file, %d channels are known", n, len(e.book.places))
		}
	})
}

// TestRestart_KeepsGapsAndLosesNothingElse crashes twice.
func TestRestart_KeepsGapsAndLosesNothingElse(t *testing.T) {
	e := open(t, Config{Dir: folder(t), Rules: fifty})
	w := newWorld(t)
	w.submit(e, "a", "1")
	e.step(time.Now())
	w.submit(e, "a", "2")
	e.step(time.Now())
	w.submit(e, "a", "3") // lost
	for range 2 {
		e = open(t, Config{Dir: copied(t, content(t, e)), Rules: fifty})
		w.check(e, false)
	}
	page, err := e.Read(t.Context(), "a", w.channels["a"][0].id, 0)
	if err != nil || !page.Complete || page.Count != 2 || page.Last.Kind != chanlog.Gap {
		t.Errorf("behind the first message: %+v, %v", page, err)
	}
	if r := e.Report(); r.Lost != 0 {
		t.Errorf("after a crash in which nothing happened: %+v", r)
	}
	w.goesOn(e)
}
