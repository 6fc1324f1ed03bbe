package loadgen

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// FleetOptions says which clients a [Fleet] consists of.
type FleetOptions struct {
	Address netip.AddrPort // of the server
	Dialect Dialect
	Clients int
	Stalled int // so many of them stop reading on [Fleet.Stall]
	Lanes   int // channels per client that messages are numbered for; 1 when 0
	Loops   int // how many share the work; half the cores, at least 1, when 0
	Dialing int // connects under way at once; 128 when 0

	// Patience is how long nothing may arrive before a wait is given up with
	// [ErrStuck]; 5 s when 0.
	Patience time.Duration
}

// Fleet is many clients of one server. Its methods may be called from one
// goroutine while another is in Run; [Fleet.Totals] from any.
type Fleet struct {
	opt    FleetOptions
	shards []*shard

	wanted  atomic.Uint64 // the number that Await waits for
	changed chan struct{} // something that a waiter may wait for has happened
	done    chan struct{} // closed when Run has returned

	mu     sync.Mutex
	faults map[string]int // guarded by mu: what went wrong, and how often
}

// Totals is what a fleet has seen so far.
type Totals struct {
	Ready      int    // clients that can receive
	Failed     int    // clients that never got ready
	Refused    int    // upgrades answered by 429 or 503, tried again later
	Ended      int    // clients that the server closed
	Delivered  uint64 // messages, each counted once per client
	Lost       uint64
	Repeated   uint64
	OutOfOrder uint64
}

// ErrStuck says that a wait was given up: nothing has arrived for a long time.
var ErrStuck = errors.New("the clients wait, and nothing arrives any more")

// NewFleet prepares a fleet; nothing is dialled before Run.
func NewFleet(opt FleetOptions) *Fleet {
	opt.Lanes = max(1, opt.Lanes)
	opt.Loops = max(1, min(cmp.Or(opt.Loops, runtime.GOMAXPROCS(0)/2), opt.Clients))
	opt.Patience = cmp.Or(opt.Patience, 5*time.Second)
	opt.Dialing = max(1, cmp.Or(opt.Dialing, 128)/opt.Loops)
	f := &Fleet{opt: opt, changed: make(chan struct{}, 1), done: make(chan struct{}), faults: map[string]int{}}
	first := 0
	for i := range opt.Loops {
		n := (opt.Clients - first) / (opt.Loops - i)
		f.shards = append(f.shards, newShard(f, first, n))
		first += n
	}
	return f
}

// Run dials all clients and serves them until ctx is done; then every client
// says goodbye (1000), waits up to 2 s for the server's answer, and is closed.
// It returns when that has happened.
func (f *Fleet) Run(ctx context.Context) error {
	defer close(f.done)
	errs := make([]error, len(f.shards))
	var wg sync.WaitGroup
	for i, s := range f.shards {
		wg.Go(func() { errs[i] = s.run(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Connected waits until every client is ready or has failed. It fails when none
// is ready, or ctx ends first.
func (f *Fleet) Connected(ctx context.Context) error {
	err := f.wait(ctx, func() (bool, uint64) {
		ready, settled := f.settled()
		return settled >= f.opt.Clients, uint64(ready + settled)
	})
	if ready, _ := f.settled(); err == nil && ready == 0 && f.opt.Clients > 0 {
		err = errors.New("no client could connect")
	}
	if why := f.Faults(); err != nil && len(why) > 0 {
		for what, n := range why {
			err = fmt.Errorf("%w: %s (%d times)", err, what, n)
		}
	}
	return err
}

// Greet makes every client send frames and waits until each has received the
// number of answers that belongs to its frames.
func (f *Fleet) Greet(ctx context.Context, greeting func(client int) (frames []byte, answers int)) error {
	f.each(func(s *shard) {
		for i := range s.clients {
			if c := &s.clients[i]; c.phase == serving && c.awaited == 0 {
				s.greet(i, greeting)
				s.flush(i)
			}
		}
	})
	return f.Connected(ctx)
}

// Stall makes the clients that are to stall stop reading.
func (f *Fleet) Stall() {
	f.each(func(s *shard) {
		s.stall = true
		for i := range s.clients {
			if s.stalling(i) {
				s.stop(i)
			}
		}
	})
}

// Expect tells which number Await will wait for. It must be called before the
// message of that number is published.
func (f *Fleet) Expect(seq uint64) { f.wanted.Store(seq) }

// Await waits until every connected client that reads has received the
// expected number or a later one; with several lanes, until so many messages in
// all were delivered or are known to be lost. It gives up with [ErrStuck].
func (f *Fleet) Await(ctx context.Context) error {
	return f.wait(ctx, func() (bool, uint64) {
		reached, settled, want := true, uint64(0), f.wanted.Load()
		for _, s := range f.shards {
			settled += s.counts.settled.Load()
			reached = reached && s.counts.reached.Load() >= want
		}
		if f.opt.Lanes > 1 {
			reached = settled >= want
		}
		return reached, settled
	})
}

// wait returns when done reports true, or when its second result, a measure of
// progress, has not changed for as long as patience allows.
func (f *Fleet) wait(ctx context.Context, done func() (bool, uint64)) error {
	timer := time.NewTimer(f.opt.Patience)
	defer timer.Stop()
	var before uint64
	for {
		ok, progress := done()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-f.done:
			return errors.New("the clients have stopped")
		case <-f.changed:
		case <-timer.C:
			if progress == before {
				return ErrStuck
			}
			before = progress
			timer.Reset(f.opt.Patience)
		}
	}
}

// Totals adds up what was counted until now. Lost, Repeated and OutOfOrder are
// taken by each loop between two rounds of its work.
func (f *Fleet) Totals() Totals {
	var t Totals
	f.each(func(s *shard) {
		f.mu.Lock()
		defer f.mu.Unlock()
		t.Ready += int(s.counts.ready.Load())
		t.Failed += int(s.counts.failed.Load())
		t.Refused += int(s.counts.refused.Load())
		t.Ended += int(s.counts.ended.Load())
		t.Delivered += s.tally.delivered
		t.Lost += s.tally.lost
		t.Repeated += s.tally.repeated
		t.OutOfOrder += s.tally.outOfOrder
	})
	return t
}

// Delivered is how many messages have arrived, cheaply.
func (f *Fleet) Delivered() (n uint64) {
	for _, s := range f.shards {
		n += s.counts.delivered.Load()
	}
	return n
}

// Ready is how many clients can receive now, cheaply.
func (f *Fleet) Ready() int {
	ready, _ := f.settled()
	return ready
}

// Missing counts the messages that reading clients never got, when sent(lane)
// were published to lane number lane of the fleet: client × Lanes + its own
// lane. Call it when nothing more is under way.
func (f *Fleet) Missing(sent func(lane int) uint64) (missing uint64) {
	f.each(func(s *shard) {
		f.mu.Lock()
		defer f.mu.Unlock()
		for i := range s.clients {
			if s.clients[i].stalled {
				continue
			}
			for lane := i * s.lanes; lane < (i+1)*s.lanes; lane++ {
				if want := sent(s.first*s.lanes + lane); want > s.tally.last[lane] {
					missing += want - s.tally.last[lane]
				}
			}
		}
	})
	return missing
}

// Latency is how long the messages took from their publication, over all
// clients that read, since the last call.
func (f *Fleet) Latency() *Histogram {
	var sum Histogram
	f.each(func(s *shard) {
		f.mu.Lock()
		defer f.mu.Unlock()
		sum.Add(&s.latency)
		s.latency = Histogram{}
	})
	return &sum
}

// Faults tells what went wrong for clients, and how often each.
func (f *Fleet) Faults() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	faults := make(map[string]int, len(f.faults))
	for what, n := range f.faults {
		faults[what] = n
	}
	return faults
}

// settled counts the clients that are ready, and those that are ready or never
// will be.
func (f *Fleet) settled() (ready, settled int) {
	for _, s := range f.shards {
		ready += int(s.counts.ready.Load())
		settled += int(s.counts.failed.Load() + s.counts.ended.Load())
	}
	return ready, ready + settled
}

// each runs fn for every shard where its loop may be touched, and waits.
func (f *Fleet) each(fn func(*shard)) {
	var wg sync.WaitGroup
	for _, s := range f.shards {
		wg.Go(func() { s.within(fn) })
	}
	wg.Wait()
}

// signal wakes a waiter.
func (f *Fleet) signal() {
	select {
	case f.changed <- struct{}{}:
	default:
	}
}
