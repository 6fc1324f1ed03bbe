package enginetest

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/engine"
)

// Network is a sink that stands between an engine and its real sink and
// treats what is delivered as a bad network would: it drops, repeats,
// reorders and delays messages, and now and then drops all for a while. After
// such trouble it calls Suspect, as an engine over a network would when it
// finds that its connection had broken. What publishers are answered does not
// pass through it.
type Network struct {
	sink engine.Sink

	mu sync.Mutex

	// Guarded by mu.
	rng    *rand.Rand
	healed bool
	outage int              // messages still to be dropped in a row
	late   []engine.Message // those delayed
	harmed []string         // channels of which the newest message may have been dropped
	Dropped, Repeated, Delayed,
	Suspected int // how often what happened; to be read after Heal
}

// Lossy returns a Network before sink. The engine that delivers to it is to
// be made with it as its sink. The same seed makes the same choices.
func Lossy(sink engine.Sink, seed uint64) *Network {
	return &Network{sink: sink, rng: rand.New(rand.NewPCG(seed, 1))}
}

// Deliver implements engine.Sink.
func (n *Network) Deliver(m engine.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.healed {
		n.sink.Deliver(m)
		return
	}
	chance := n.rng.IntN(1000)
	switch {
	case n.outage > 0:
		n.outage--
		n.drop(m)
	case chance < 3:
		n.outage = n.rng.IntN(400)
		n.drop(m)
	case chance < 60:
		n.drop(m)
	case chance < 120:
		n.Repeated++
		n.sink.Deliver(m)
		n.sink.Deliver(m)
		n.late = append(n.late, m)
	case chance < 220:
		n.Delayed++
		n.late = append(n.late, m)
	default:
		n.sink.Deliver(m)
	}
	if n.rng.IntN(8) == 0 {
		n.release(n.rng.IntN(4))
	}
}

func (n *Network) drop(m engine.Message) {
	n.Dropped++
	if !slices.Contains(n.harmed, m.Channel) {
		n.harmed = append(n.harmed, m.Channel)
	}
}

// release delivers up to k of those delayed, in any order.
func (n *Network) release(k int) {
	for ; k > 0 && len(n.late) > 0; k-- {
		i := n.rng.IntN(len(n.late))
		n.sink.Deliver(n.late[i])
		n.late = slices.Delete(n.late, i, i+1)
	}
}

// Suspect implements engine.Sink.
func (n *Network) Suspect(channels []string) { n.sink.Suspect(channels) }

// Listens implements engine.Sink.
func (n *Network) Listens(channel string) bool { return n.sink.Listens(channel) }

// Run finds out about trouble, now and then, until ctx is done.
func (n *Network) Run(ctx context.Context) {
	for {
		n.mu.Lock()
		wait := time.Duration(1 + n.rng.IntN(int(50*time.Millisecond)))
		n.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			n.find()
		}
	}
}

// find says what was dropped so far and delivers some of what is late.
func (n *Network) find() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.release(n.rng.IntN(20))
	if len(n.harmed) == 0 {
		return
	}
	n.Suspected++
	if n.rng.IntN(4) == 0 {
		n.sink.Suspect(nil)
	} else {
		n.sink.Suspect(n.harmed)
	}
	n.harmed = nil
}

// Heal delivers all that is late, says once more that everything is suspect,
// and is a good network from then on.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.healed = true
	n.release(len(n.late))
	n.sink.Suspect(nil)
}
