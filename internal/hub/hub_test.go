package hub_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

// ear is a listener that only notes what it was told.
type ear struct {
	mu      sync.Mutex
	backlog int
	behind  bool
	fresh   []*hub.Feed
}

func (e *ear) Notify(f *hub.Feed, bytes int, first bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.backlog += bytes
	if first {
		e.fresh = append(e.fresh, f)
	}
}

func (e *ear) Pace(context.Context) error { return nil }
func (e *ear) Overloaded() bool           { return e.behind }

func newHub(ears ...hub.Listener) *hub.Hub {
	h := hub.New()
	h.Use(memory.New(h), ears)
	return h
}

func publish(t testing.TB, h *hub.Hub, channel, data string) hub.Receipt {
	t.Helper()
	r, err := h.Publish(t.Context(), wire.Publication{Channel: channel, Data: []byte(data)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHub_GivesAListenerAllThatIsNewOnceAndInOrder(t *testing.T) {
	var e ear
	h := newHub(&e)
	f := h.Join("news", &e)
	f.Members.Add(1)
	const writers, each = 8, 500
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				publish(t, h, "news", `1`)
			}
		})
	}
	seen, bytes, last := 0, 0, uint64(0)
	for done := false; !done; {
		if seen == writers*each {
			wg.Wait()
			done = true
		}
		batch, place := f.Take()
		entry, end := batch.First, batch.Last
		for entry != nil {
			if entry.Seq <= last {
				t.Fatalf("seq %d after %d", entry.Seq, last)
			}
			last = entry.Seq
			seen++
			bytes += len(entry.Frame)
			if entry == end {
				if place.Seq != last {
					t.Fatalf("place %d behind the newest message %d", place.Seq, last)
				}
				break
			}
			entry = entry.Next()
		}
		f.Settle()
	}
	if seen != writers*each || bytes != e.backlog {
		t.Errorf("took %d messages of %d bytes, want %d of %d", seen, bytes, writers*each, e.backlog)
	}
}

func TestHub_AChannelWithoutListenersKeepsNothing(t *testing.T) {
	var e ear
	h := newHub(&e)
	if r := publish(t, h, "news", `1`); r.Subscribers != 0 || h.Count() != 0 {
		t.Errorf("%d subscribers, %d channels", r.Subscribers, h.Count())
	}
	f := h.Join("news", &e)
	index := f.Members.Add(1)
	publish(t, h, "news", `1`)
	f.Members.Remove(index, nil)
	if untaken := h.Leave(f); untaken != e.backlog {
		t.Errorf("left %d bytes untaken, was told of %d", untaken, e.backlog)
	}
	if batch, _ := f.Take(); batch.First != nil || h.Count() != 0 || h.Members() != 0 {
		t.Errorf("the channel is kept: %d channels, %d members", h.Count(), h.Members())
	}
}

func TestHub_PlacesOfANewChannelComeAfterWhatWasPublished(t *testing.T) {
	var e ear
	h := newHub(&e)
	before := publish(t, h, "news", `1`)
	f := h.Join("news", &e)
	_, place := f.Take()
	if place != before.ID {
		t.Errorf("live behind %v, want %v", place, before.ID)
	}
	if after := publish(t, h, "news", `2`); after.ID.Seq <= place.Seq {
		t.Errorf("message %v does not come after %v", after.ID, place)
	}
}

func TestHub_ListsChannelsByPages(t *testing.T) {
	var e ear
	h := newHub(&e)
	for i := range 30 {
		h.Join(fmt.Sprintf("c%02d", i), &e).Members.Add(1)
	}
	page := h.Channels("c1", "c14", 3)
	if len(page) != 3 || page[0].Name != "c15" || page[2].Name != "c17" || page[0].Subscribers != 1 {
		t.Errorf("got %+v", page)
	}
}

func TestHub_TurnsPublishersAwayThatCannotWait(t *testing.T) {
	e := ear{behind: true}
	h := newHub(&e)
	if _, _, err := h.Submit(wire.Publication{Channel: "a", Data: []byte("1")}, nil); err == nil {
		t.Error("a publish was taken by a server that is far behind")
	}
}

// meanwhile is an engine during whose Attach something else happens.
type meanwhile struct {
	engine.Engine
	happens func()
}

func (e meanwhile) Attach(channel string) wire.ID {
	top := e.Engine.Attach(channel)
	e.happens()
	return top
}

// TestHub_TellsEveryFirstListenerWhereAChannelBegins has a second loop join a
// new channel while the first is still asking where it begins.
func TestHub_TellsEveryFirstListenerWhereAChannelBegins(t *testing.T) {
	var first, second ear
	h := hub.New()
	nested := false
	h.Use(meanwhile{memory.New(h), func() {
		if nested {
			return
		}
		nested = true
		if _, place := h.Join("news", &second).Take(); place.Epoch == "" {
			t.Errorf("the second listener is told %q", place)
		}
	}}, []hub.Listener{&first, &second})
	if _, place := h.Join("news", &first).Take(); place.Epoch == "" {
		t.Errorf("the first listener is told %q", place)
	}
	if !nested {
		t.Error("the second listener never came")
	}
}

func TestHub_RefusesPublishesWhenToldTo(t *testing.T) {
	h := newHub()
	h.Refuse(wire.Errorf(wire.Unavailable, "closing"))
	if _, err := h.Publish(t.Context(), wire.Publication{Channel: "a", Data: []byte("1")}); err == nil {
		t.Error("a publish was taken after Refuse")
	}
}

func BenchmarkPublish(b *testing.B) {
	for _, subscribed := range []bool{false, true} {
		b.Run(fmt.Sprintf("subscribed=%v", subscribed), func(b *testing.B) {
			var e ear
			h := newHub(&e)
			var f *hub.Feed
			if subscribed {
				f = h.Join("news", &e)
				f.Members.Add(1)
			}
			p := wire.Publication{Channel: "news", Data: make([]byte, 128)}
			b.ReportAllocs()
			for b.Loop() {
				_, _ = h.Publish(b.Context(), p)
				if f != nil {
					f.Take()
					f.Settle()
				}
			}
		})
	}
}
