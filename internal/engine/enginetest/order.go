package enginetest

import (
	"context"
	"fmt"
	"sync"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

var order = []test{
	{name: "Order", setup: Setup{Rules: hundred}, run: inOrder},
	{name: "OrderOfManyPublishers", setup: Setup{Rules: hundred}, run: manyPublishers},
	{name: "SubmitKeepsTheOrderOfOneCaller", setup: Setup{Rules: hundred}, run: submits},
	{name: "ADoneContextIsAnsweredTruly", setup: Setup{Rules: all}, run: doneContext},
}

// inOrder publishes to a few channels in turn.
func inOrder(r *rig) {
	epoch := r.listen("a").Epoch
	r.listen("b")
	for i := range 300 {
		channel := []string{"a", "b", "c"}[i%3]
		p := wire.Publication{Channel: channel, Event: "tick", Data: fmt.Appendf(nil, `{"n":%d}`, i)}
		if ack := r.try(p); ack.ID.Epoch != epoch {
			r.Fatalf("the epoch of %v is not %s", ack.ID, epoch)
		}
	}
	for _, channel := range []string{"a", "b"} {
		r.delivered(channel)
	}
}

// delivered expects that a channel's messages were all delivered, once, in
// order and each with the seq of the one before it.
func (r *rig) delivered(channel string) {
	r.Helper()
	got, want := r.sink.of(channel), r.published[channel]
	if len(got) != len(want) {
		r.Fatalf("%d messages of %s were delivered, %d published", len(got), channel, len(want))
	}
	prev := uint64(0)
	for i, m := range got {
		f := r.frame(m.Entry)
		switch {
		case m.ID() != want[i].id || f.ID != want[i].id.String():
			r.Fatalf("message %d of %s is %v, on the wire %s; %v was acknowledged", i, channel, m.ID(), f.ID, want[i].id)
		case f.Type != "message" || f.Channel != channel || string(f.Data) != want[i].data:
			r.Fatalf("message %d of %s is %+v, want %s", i, channel, f, want[i].data)
		case m.Prev != prev && !(i == 0 && m.Prev < m.Entry.Seq):
			r.Fatalf("message %v of %s follows %d, not %d", m.ID(), channel, m.Prev, prev)
		case m.Entry.Seq <= prev:
			r.Fatalf("seq %d of %s follows %d", m.Entry.Seq, channel, prev)
		}
		prev = m.Entry.Seq
	}
}

// manyPublishers has some publish to all channels at once.
func manyPublishers(r *rig) {
	const publishers, channels, each = 8, 100, 2000
	for c := range channels {
		r.listen(fmt.Sprint("c", c))
	}
	var wg sync.WaitGroup
	for n := range publishers {
		wg.Go(func() {
			last := make(map[string]uint64)
			for i := range each {
				channel := fmt.Sprint("c", (i*7+n)%channels)
				ack, err := r.engine.Publish(r.Context(), wire.Publication{Channel: channel, Data: fmt.Appendf(nil, "[%d,%d]", n, i)})
				if err != nil {
					r.Errorf("publish: %v", r.fault(err))
					return
				}
				if ack.ID.Seq <= last[channel] {
					r.Errorf("%s: %d after %d", channel, ack.ID.Seq, last[channel])
				}
				last[channel] = ack.ID.Seq
			}
		})
	}
	wg.Wait()
	total := 0
	for c := range channels {
		total += r.chained(fmt.Sprint("c", c), publishers)
	}
	if total != publishers*each {
		r.Errorf("%d messages were delivered, %d published", total, publishers*each)
	}
}

// chained expects that a channel's messages came in order, each publisher's
// too, and returns how many.
func (r *rig) chained(channel string, publishers int) int {
	r.Helper()
	prev, last := uint64(0), make([]int, publishers)
	got := r.sink.of(channel)
	for i, m := range got {
		var publisher, n int
		if _, err := fmt.Sscanf(string(r.frame(m.Entry).Data), "[%d,%d]", &publisher, &n); err != nil {
			r.Fatal(err)
		}
		if m.Entry.Seq <= prev || i > 0 && m.Prev != prev {
			r.Fatalf("%s: %d after %d says that it follows %d", channel, m.Entry.Seq, prev, m.Prev)
		}
		if n < last[publisher] {
			r.Fatalf("%s: publisher %d's message %d comes after its %d", channel, publisher, n, last[publisher])
		}
		prev, last[publisher] = m.Entry.Seq, n
	}
	return len(got)
}

// submits publishes without waiting and expects each outcome once.
func submits(r *rig) {
	const n = 500
	r.listen("a")
	var wg sync.WaitGroup
	var mu sync.Mutex
	acks := make(map[int]engine.Ack)
	for i := range n {
		note := func(ack engine.Ack, err error) {
			mu.Lock()
			defer mu.Unlock()
			if _, twice := acks[i]; twice || err != nil {
				r.Errorf("submit %d: told twice %v, error %v", i, twice, r.fault(err))
			}
			acks[i] = ack
		}
		wg.Add(1)
		ack, later, err := r.engine.Submit(wire.Publication{Channel: "a", Data: fmt.Appendf(nil, "%d", i)}, func(ack engine.Ack, err error) {
			note(ack, err)
			wg.Done()
		})
		if !later {
			note(ack, err)
			wg.Done()
		}
	}
	wg.Wait()
	for i := range n {
		r.published["a"] = append(r.published["a"], posted{id: acks[i].ID, at: acks[i].Time, data: fmt.Sprint(i)})
	}
	r.delivered("a")
}

// doneContext expects that what is said of a publish nobody waits for is
// true.
func doneContext(r *rig) {
	ctx, cancel := context.WithCancel(r.Context())
	cancel()
	for i := range 20 {
		data := fmt.Sprint(i)
		ack, err := r.engine.Publish(ctx, wire.Publication{Channel: "a", Data: []byte(data)})
		kept := r.holds("a", data)
		switch refusal, _ := r.fault(err).(*wire.Error); {
		case err == nil && !kept:
			r.Fatalf("%v was acknowledged and is not there", ack.ID)
		case err != nil && refusal == nil:
			return
		case err != nil && refusal.Code != wire.Uncertain && kept:
			r.Fatalf("%v was said for a message that is there", err)
		}
	}
	if _, err := r.engine.Read(ctx, "a", wire.ID{}, 0); err != nil {
		_ = r.fault(err)
	}
	if _, err := r.engine.Newest(ctx, "a", 5); err != nil {
		_ = r.fault(err)
	}
}

// holds reports whether a channel holds a message with the given data.
func (r *rig) holds(channel, data string) bool {
	r.Helper()
	for _, e := range r.entries(r.read(channel, wire.ID{}, 0)) {
		if string(r.frame(e).Data) == data {
			return true
		}
	}
	return false
}
