package enginetest

import (
	"fmt"
	"sync"
	"sync/atomic"

	"holdfast.dev/holdfast/internal/wire"
)

var reads = []test{
	{name: "ReadFromEveryPlace", setup: Setup{Rules: hundred}, run: everyPlace},
	{name: "ReadByPages", setup: Setup{Rules: hundred}, run: pages},
	{name: "ReadOfStrangePlaces", setup: Setup{Rules: hundred}, run: strangePlaces},
	{name: "Newest", setup: Setup{Rules: hundred}, run: newest},
	{name: "ReadWhileItGrows", setup: Setup{Rules: hundred}, run: growing},
}

// fillTwo publishes to two channels by turns, to one more than it keeps.
func (r *rig) fillTwo() {
	for i := range 150 {
		r.publish("a", fmt.Sprint(i))
		if i%5 == 0 {
			r.publish("b", fmt.Sprint(-i))
		}
	}
}

func everyPlace(r *rig) {
	r.fillTwo()
	for _, channel := range []string{"a", "b", "none"} {
		for _, since := range r.places(channel) {
			for _, limit := range []int{0, 1, 7, 100, 101} {
				r.check(channel, since, limit, r.read(channel, since, limit), true)
			}
		}
	}
}

// pages reads on from the last of each page until there is no more.
func pages(r *rig) {
	r.fillTwo()
	for _, limit := range []int{1, 3, 50, 100, 150} {
		since := r.published["a"][49].id
		seen := 0
		for more := true; more; {
			p := r.read("a", since, limit)
			r.check("a", since, limit, p, true)
			seen += p.Count
			more = p.More
			if p.Last != nil {
				since.Seq = p.Last.Seq
			}
		}
		if seen != 100 {
			r.Errorf("pages of %d show %d messages, want 100", limit, seen)
		}
		if p := r.read("a", r.read("a", since, limit).Top, limit); p.Count > 0 || !p.Complete {
			r.Errorf("behind the newest place are %d messages, complete is %v", p.Count, p.Complete)
		}
	}
}

// strangePlaces reads from places of another epoch and of the future.
func strangePlaces(r *rig) {
	r.fillTwo()
	top := r.read("a", wire.ID{}, 0).Top
	for _, since := range []wire.ID{{}, {Epoch: "other", Seq: 3}, {Epoch: "other", Seq: 1 << 60}, {Epoch: top.Epoch, Seq: top.Seq + 1<<40}} {
		for _, channel := range []string{"a", "b", "none"} {
			p := r.read(channel, since, 0)
			if p.Complete || p.Gap != wire.GapRestarted {
				r.Errorf("%s since %v: complete is %v, gap %q", channel, since, p.Complete, p.Gap)
			}
			if want := min(100, len(r.published[channel])); p.Count != want {
				r.Errorf("%s since %v: %d messages, %d are held", channel, since, p.Count, want)
			}
		}
	}
}

func newest(r *rig) {
	r.fillTwo()
	for _, channel := range []string{"a", "b", "none"} {
		held := r.published[channel][max(0, len(r.published[channel])-100):]
		for _, limit := range []int{1, 2, 30, 99, 100, 101} {
			p, err := r.engine.Newest(r.Context(), channel, limit)
			if err != nil {
				r.Fatal(r.fault(err))
			}
			r.same(fmt.Sprintf("newest %d of %s", limit, channel), r.entries(p), held[max(0, len(held)-limit):], false)
			if p.More {
				r.Errorf("more is said to follow the newest of %s", channel)
			}
		}
	}
}

// growing reads on and on from the place it came to while others publish, and
// expects to see everything once.
func growing(r *rig) {
	const publishers, each = 4, 2000
	since := r.listen("a")
	var left atomic.Int32
	left.Store(publishers)
	var wg sync.WaitGroup
	for range publishers {
		wg.Go(func() {
			defer left.Add(-1)
			for i := range each {
				if _, err := r.engine.Publish(r.Context(), wire.Publication{Channel: "a", Data: fmt.Append(nil, i)}); err != nil {
					r.Errorf("publish: %v", r.fault(err))
					return
				}
			}
		})
	}
	seen, lost := 0, false
	for done := false; !done; {
		done = left.Load() == 0
		p := r.read("a", since, 0)
		for _, e := range r.entries(p) {
			if e.Seq <= since.Seq || e.Seq > p.Top.Seq {
				r.Errorf("entry %d in a page behind %d with top %d", e.Seq, since.Seq, p.Top.Seq)
			}
			since.Seq = e.Seq
			seen++
		}
		lost = lost || !p.Complete
		since.Seq = max(since.Seq, p.Top.Seq)
	}
	wg.Wait()
	if seen > publishers*each || !lost && seen != publishers*each {
		r.Errorf("saw %d messages of %d, lost is %v", seen, publishers*each, lost)
	}
}
