package enginetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

var loss = []test{
	{name: "AHubBehindABadNetworkMissesNothingThatIsKept", bare: true, run: behindBadNetwork, setup: Setup{Rules: all}},
	{name: "AHubBehindABadNetworkSaysWhatIsGone", bare: true, run: behindBadNetwork, setup: Setup{Rules: ledger.Rules{Default: ledger.Keep{Messages: 10, Age: time.Hour}}}},
}

const (
	badChannels   = 8
	badPublishers = 4
	badEach       = 1500
	badEars       = 3
)

// behindBadNetwork publishes through a hub whose engine delivers by a bad
// network, to listeners that come and go, and expects that each sees every
// message once, in order, or a gap in its place. Where everything is kept,
// there is no gap.
func behindBadNetwork(r *rig) {
	rng := seeded(r.T)
	h := hub.New()
	n := Lossy(h, rng.Uint64())
	r.begin(n)
	var ears []*ear
	var listeners []hub.Listener
	for range badEars {
		e := newEar(h, rng.Uint64())
		ears, listeners = append(ears, e), append(listeners, e)
	}
	h.Use(r.engine, listeners)
	ctx, cancel := context.WithCancel(r.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		if err := h.Run(ctx); err != nil {
			r.Errorf("the hub: %v", err)
		}
	})
	wg.Go(func() { n.Run(ctx) })
	r.shout(h, ears, rng)
	n.Heal()
	for i, e := range ears {
		r.await(fmt.Sprint("listener ", i), e)
	}
	gaps := 0
	for _, e := range ears {
		for _, seen := range e.seen {
			for _, s := range seen {
				if s.gap {
					gaps++
				}
			}
		}
	}
	r.Logf("dropped %d, repeated %d, delayed %d, suspected %d times; %d gaps were told", n.Dropped, n.Repeated, n.Delayed, n.Suspected, gaps)
}

// shout has several publish while ears come and go, and returns when all is
// published and the ears listen to everything.
func (r *rig) shout(h *hub.Hub, ears []*ear, rng *rand.Rand) {
	var mu sync.Mutex
	var publishing, hearing sync.WaitGroup
	done := make(chan struct{})
	for _, e := range ears {
		hearing.Go(func() { e.wander(r, done) })
	}
	for range badPublishers {
		own := rand.New(rand.NewPCG(rng.Uint64(), 3))
		publishing.Go(func() {
			for i := range badEach {
				if own.IntN(4) == 0 {
					r.pause(time.Duration(own.IntN(int(10 * time.Millisecond))))
				}
				p := wire.Publication{Channel: fmt.Sprint("c", own.IntN(badChannels)), Data: fmt.Append(nil, i)}
				receipt, err := h.Publish(r.Context(), p)
				if err != nil {
					r.Errorf("publish: %v", r.fault(err))
					return
				}
				mu.Lock()
				r.published[p.Channel] = append(r.published[p.Channel], posted{id: receipt.ID})
				mu.Unlock()
			}
		})
	}
	publishing.Wait()
	close(done)
	hearing.Wait()
	for _, list := range r.published {
		slices.SortFunc(list, func(a, b posted) int { return int(a.id.Seq) - int(b.id.Seq) })
	}
}

// pause waits.
func (r *rig) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}

// wander takes what is new, and joins and leaves channels, until done; then
// it joins all.
func (e *ear) wander(r *rig, done chan struct{}) {
	again := func(channel string) {
		if err := e.join(channel); err != nil {
			r.Error(err)
		}
	}
	for {
		select {
		case <-done:
			for c := range badChannels {
				again(fmt.Sprint("c", c))
			}
			return
		case <-e.wake:
			e.take()
		case <-time.After(time.Duration(e.rng.IntN(int(20 * time.Millisecond)))):
			channel := fmt.Sprint("c", e.rng.IntN(badChannels))
			if e.rng.IntN(3) == 0 {
				e.leave(channel)
			} else {
				again(channel)
			}
		}
	}
}

// await takes until an ear has seen everything or was told that it did not,
// and checks what it saw.
func (r *rig) await(name string, e *ear) {
	r.Helper()
	for {
		e.take()
		caught := true
		for channel, list := range r.published {
			place, _ := e.place(channel)
			caught = caught && (len(list) == 0 || place.Seq >= list[len(list)-1].id.Seq)
		}
		if caught {
			break
		}
		select {
		case <-e.wake:
		case <-time.After(10 * time.Second):
			r.Errorf("%s never gets to the end", name)
			return
		}
	}
	for channel := range r.published {
		r.heard(fmt.Sprintf("%s, %s", name, channel), e.from[channel], e.seen[channel], r.published[channel])
	}
}

// heard expects that what an ear saw of a channel since it began to listen is
// every message once and in order, or a gap where some are missing.
func (r *rig) heard(name string, from wire.ID, seen []sight, want []posted) {
	r.Helper()
	for len(want) > 0 && want[0].id.Seq <= from.Seq {
		want = want[1:]
	}
	gap := false
	for _, s := range seen {
		if s.gap {
			if r.setup.Rules.Default.Messages > badPublishers*badEach {
				r.Errorf("%s: a gap behind %v, where everything is kept", name, s.id)
			}
			gap = true
			continue
		}
		missed := 0
		for len(want) > 0 && want[0].id.Seq < s.id.Seq {
			want = want[1:]
			missed++
		}
		switch {
		case len(want) == 0 || want[0].id != s.id:
			r.Fatalf("%s: saw %v, which is a repeat, out of turn or was never published", name, s.id)
		case missed == 0 && gap:
			r.Fatalf("%s: a gap is told before %v and nothing is missing", name, s.id)
		case missed > 0 && !gap:
			r.Fatalf("%s: %d messages before %v are missing and no gap is told", name, missed, s.id)
		}
		want, gap = want[1:], false
	}
	if len(want) > 0 && !gap {
		r.Fatalf("%s: the last %d messages are missing", name, len(want))
	}
}
