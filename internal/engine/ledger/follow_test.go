package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// follower is a ledger that follows another one by taps and snapshots, as a
// process would that is told over a wire.
type follower struct {
	t       *testing.T
	owner   *ledger.Ledger
	replica *ledger.Ledger
	rng     *rand.Rand
	poured  []ledger.Poured
	holed   []int // shards whose tap has ended
	breaks  int   // of so many messages, one breaks a tap; 0 is none
}

func newFollower(t *testing.T, owner *ledger.Ledger, sink engine.Sink, rng *rand.Rand) *follower {
	f := &follower{t: t, owner: owner, replica: ledger.New(sink, mixed), rng: rng}
	f.replica.Freeze()
	for shard := range ledger.Shards {
		f.holed = append(f.holed, shard)
	}
	return f
}

func (f *follower) pour(p ledger.Poured) bool {
	if p.Entry == nil || f.breaks > 0 && f.rng.IntN(f.breaks) == 0 {
		f.holed = append(f.holed, p.Shard)
		return false
	}
	f.poured = append(f.poured, p)
	return true
}

// catchUp tells the replica what was poured, and of holes if so wanted.
func (f *follower) catchUp(holes bool) {
	f.t.Helper()
	for _, p := range f.poured {
		e := engine.NewEntry(p.Entry.JSON(), p.Entry.Seq, time.Unix(int64(p.Entry.At), 0), p.Entry.Kind)
		if err := f.replica.Apply(p.Channel, e, p.Key); err != nil {
			f.t.Fatal(err)
		}
	}
	f.poured = nil
	if !holes {
		return
	}
	for _, shard := range f.holed {
		if err := f.replica.Adopt(f.owner.Snapshot(shard, f.replica.Top(shard), f.pour)); err != nil {
			f.t.Fatal(err)
		}
	}
	f.holed = nil
}

// TestFollow_KnowsWhatTheOwnerKnows has a ledger follow another one through
// taps that break now and then, and asks both the same.
func TestFollow_KnowsWhatTheOwnerKnows(t *testing.T) {
	rng := seeded(t)
	for round := range 6 {
		synctest.Test(t, func(t *testing.T) {
			list, e := names(12), &audience{to: make(map[string]bool)}
			owner := ledger.New(e, mixed)
			heard := &audience{to: make(map[string]bool)}
			f := newFollower(t, owner, heard, rng)
			f.breaks = 50 * (round % 2)
			f.catchUp(true)
			go func() { _ = owner.Run(t.Context()) }()
			go func() { _ = f.replica.Run(t.Context()) }()
			for _, channel := range list {
				heard.listen(channel, true)
				f.replica.Attach(channel)
			}
			for range 40 {
				wander(t, owner, e, rng, list, rng.IntN(60))
				f.catchUp(rng.IntN(3) == 0)
			}
			f.catchUp(true)
			f.same(list, e)
			time.Sleep(time.Hour)
			f.same(list, e)
		})
	}
}

// same holds what the replica answers against what the owner delivered. While
// no tap broke, it knows no less than the owner.
func (f *follower) same(list []string, published *audience) {
	f.t.Helper()
	for _, channel := range list {
		top := f.owner.Top(ledger.Shard(channel))
		if got := f.replica.Top(ledger.Shard(channel)); got != top {
			f.t.Fatalf("%s: the replica is at %d, the owner at %d", channel, got, top)
		}
		all := of(published.got, channel)
		for seq := uint64(0); seq <= top; seq += 1 + seq%3 {
			for len(all) > 0 && all[0].Entry.Seq <= seq {
				all = all[1:]
			}
			want, got := "", read(f.t, f.replica, channel, seq)
			for _, m := range all {
				want += fmt.Sprint(" ", m.Entry.Seq)
			}
			has := " " + text(got.First, got.Last)
			switch owner := read(f.t, f.owner, channel, seq); {
			case got.Complete && strings.TrimSpace(has) != strings.TrimSpace(want):
				f.t.Fatalf("%s behind %d: the replica has%s and calls it complete, published were%s", channel, seq, has, want)
			case got.Count > 0 && !strings.HasSuffix(want, has):
				f.t.Fatalf("%s behind %d: the replica has%s, published were%s", channel, seq, has, want)
			case !got.Complete && owner.Complete && f.breaks == 0 && has != " ":
				f.t.Fatalf("%s behind %d: the replica has%s and calls it incomplete", channel, seq, has)
			}
		}
	}
}

// TestFollow_DeliversEachMessageInItsTurn holds what a replica hands to its
// sink, and what a listener reads where it is suspect, against what the owner
// delivered.
func TestFollow_DeliversEachMessageInItsTurn(t *testing.T) {
	rng := seeded(t)
	synctest.Test(t, func(t *testing.T) {
		list, e := names(8), &audience{to: make(map[string]bool)}
		owner := ledger.New(e, mixed)
		heard := &audience{to: make(map[string]bool)}
		f := newFollower(t, owner, heard, rng)
		f.breaks = 50
		for _, channel := range list {
			heard.listen(channel, true)
			f.replica.Attach(channel)
		}
		for range 100 {
			wander(t, owner, e, rng, list, rng.IntN(60))
			f.catchUp(rng.IntN(3) > 0)
		}
		f.catchUp(true)
		for _, channel := range list {
			want, got := of(e.got, channel), of(heard.got, channel)
			for i, m := range got {
				if i > 0 && m.Entry.Seq <= got[i-1].Entry.Seq {
					t.Fatalf("%s: %d is delivered behind %d", channel, m.Entry.Seq, got[i-1].Entry.Seq)
				}
				if i > 0 && m.Prev > got[i-1].Entry.Seq {
					continue // it shows that something is missing
				}
				at := slices.IndexFunc(want, func(w engine.Message) bool { return w.Entry.Seq == m.Entry.Seq })
				if at < 0 || i > 0 && m.Prev == got[i-1].Entry.Seq && want[at-1].Entry.Seq != m.Prev {
					t.Fatalf("%s: %d says that it follows %d", channel, m.Entry.Seq, m.Prev)
				}
			}
		}
	})
}

func of(all []engine.Message, channel string) (list []engine.Message) {
	for _, m := range all {
		if m.Channel == channel {
			list = append(list, m)
		}
	}
	return list
}

func TestOwn_LosesNothingAfterAGoodbye(t *testing.T) {
	rng := seeded(t)
	synctest.Test(t, func(t *testing.T) {
		list, e := names(8), &audience{to: make(map[string]bool)}
		owner := ledger.New(e, mixed)
		f := newFollower(t, owner, &sink{}, rng)
		wander(t, owner, e, rng, list, 500)
		f.catchUp(true)
		owner.Freeze()
		if _, err := owner.Publish(t.Context(), wire.Publication{Channel: "a"}); err != ledger.ErrLimit {
			t.Errorf("a frozen ledger publishes: %v", err)
		}
		f.replica.Own(false)
		f.same(list, e)
		owner.Own(false)
		if got, want := repeats(t, f.replica, list), repeats(t, owner, list); got != want {
			t.Fatalf("it answers\n%s\nwant\n%s", got, want)
		}
	})
}

func TestOwn_TellsWhatMayBeLost(t *testing.T) {
	heard := &sink{}
	l := ledger.New(heard, mixed)
	a, b := siblings(2)[0], siblings(2)[1]
	quiet := l.Attach(b)
	last := publish(t, l, a, `1`)
	l.Freeze()
	l.Own(true)
	p := read(t, l, a, last.Seq)
	if !p.Complete || p.Count != 1 || string(p.First.JSON()) != `{"type":"gap","channel":"`+a+`","after":"`+last.String()+`","reason":"restarted"}` {
		t.Errorf("behind the last message of %s: %d entries, complete is %v", a, p.Count, p.Complete)
	}
	if p := read(t, l, b, quiet.Seq); p.Complete || p.Gap != wire.GapRestarted {
		t.Errorf("a channel without messages that is listened to: complete is %v, gap %q", p.Complete, p.Gap)
	}
	if got := of(heard.got, a); len(got) != 2 || got[1].Prev != last.Seq {
		t.Errorf("%d messages are delivered, want a gap behind the first", len(got))
	}
	if id := publish(t, l, a, `2`); id.Seq <= last.Seq+ledger.Leap {
		t.Errorf("%v is given out, which another process may have done", id)
	}
}

func TestApply_RefusesWhatCannotFollow(t *testing.T) {
	l := ledger.New(&sink{}, mixed)
	l.Freeze()
	for _, e := range stored(7, 9) {
		if err := l.Apply("a", e, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, seq := range []uint64{0, 8, 9, 1 << 63} {
		if err := l.Apply("a", stored(seq)[0], nil); err == nil {
			t.Errorf("%d is taken behind 9", seq)
		}
	}
	if err := l.Adopt(ledger.Snapshot{Shard: ledger.Shard("a"), Since: 8, Seq: 12, Top: 12}); err == nil {
		t.Error("a snapshot behind 8 is taken at 9")
	}
}

// TestFollow_MissesWhatCameAndWent breaks the taps, has messages come and go
// unheard, and expects that the replica calls no place before them complete.
func TestFollow_MissesWhatCameAndWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var list []string
		for i := 0; len(list) < 3; i++ {
			if name := fmt.Sprint("brief-", i); ledger.Shard(name) == 0 {
				list = append(list, name)
			}
		}
		held, pinned := list[0], list[1] // of the third the replica knows nothing
		owner := ledger.New(&sink{}, mixed)
		go func() { _ = owner.Run(t.Context()) }()
		heard := &audience{to: make(map[string]bool)}
		f := newFollower(t, owner, heard, seeded(t))
		publish(t, owner, held, `1`)
		f.catchUp(true)
		f.replica.Attach(pinned)
		place := f.replica.Top(0)
		f.breaks = 1
		for _, channel := range list {
			publish(t, owner, channel, `"unheard"`)
		}
		time.Sleep(time.Minute)
		f.catchUp(true)
		for _, channel := range list {
			if p := read(t, f.replica, channel, place); p.Complete || p.Gap != wire.GapExpired {
				t.Errorf("%s behind %d, with a message that came and went: complete is %v, gap %q", channel, place, p.Complete, p.Gap)
			}
			if p := read(t, f.replica, channel, f.replica.Top(0)); !p.Complete {
				t.Errorf("%s at its newest place: complete is %v", channel, p.Complete)
			}
		}
		if heard.suspected == 0 {
			t.Error("nothing is suspect")
		}
	})
}
