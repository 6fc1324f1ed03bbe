package transport

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/session"
)

const (
	scratchSize = 64 << 10 // bytes read or written at once
	maxEvents   = 512      // events taken in one round
	maxWrites   = 256      // writes in one round before others get their turn
	maxBacklog  = 1 << 20  // bytes published and not yet offered, over which publishers wait
	maxGap      = 8        // ticks between two rounds; a longer one is a pause of the process
)

// Loop is one event loop: it owns its conns and runs on one goroutine.
type Loop struct {
	// Static after newLoop.
	*Setup
	gate   *Gate
	poller *poller
	start  time.Time
	wg     *sync.WaitGroup // of the goroutines that serve streams
	done   chan struct{}   // closed when run returns

	// Owned by run.
	ctx     context.Context // of run
	table   table
	wheel   wheel
	ids     map[session.ID]int32
	feeds   queue   // with something to offer, each in its turn
	ahead   ahead   // members who know what they are yet to be offered
	ended   []*conn // doomed in this round
	sweep   int32   // slot at which the next search for quiet conns begins
	clock   time.Time
	carrier carrier
	notice  notice
	chunk   chunk
	scratch []byte // what was just read
	spill   []byte // what is being written from cursors
	framed  []byte // one reply
	writer  eventWriter
	cork    []byte // what a new client is greeted with, in one write
	corked  bool   // replies go there
	parked  []byte // what is due to a conn that is being parked
	parking bool   // what would be sent goes there
	events  []event

	mu sync.Mutex

	// Guarded by mu.
	jobs   []func()
	fresh  []*hub.Feed // with something to take
	asleep bool        // the loop waits for the poller and must be woken
	paced  chan struct{}

	backlog atomic.Int64
	open    atomic.Int32 // sessions that were not told to go
	Counters
}

func newLoop(s *Server) (*Loop, error) {
	p, err := newPoller()
	if err != nil {
		return nil, err
	}
	l := &Loop{
		Setup: &s.Setup, gate: &s.gate, poller: p, start: time.Now(), wg: &s.streams, done: make(chan struct{}),
		ids: make(map[session.ID]int32), ahead: make(ahead), events: make([]event, maxEvents),
		scratch: make([]byte, scratchSize), spill: make([]byte, 0, scratchSize), paced: make(chan struct{}),
	}
	l.clock = l.start
	l.wheel.table = &l.table
	l.wheel.now = 1
	l.carrier.loop = l
	return l, nil
}

// run serves until ctx is done and every conn has been closed.
func (l *Loop) run(ctx context.Context) {
	l.ctx = ctx
	defer close(l.done)
	defer l.poller.close()
	for ctx.Err() == nil || l.table.used > 0 {
		n := l.poller.wait(l.events, !l.busy(ctx))
		l.clock = time.Now()
		for _, e := range l.events[:n] {
			l.ready(e)
		}
		l.runJobs()
		l.offer()
		l.wheel.advance(l.tick(), l.expire)
		if ctx.Err() != nil {
			l.abandon()
		}
		l.bury()
	}
}

// busy reports whether there is work that waits for no event. If not, the
// loop counts as asleep from now on.
func (l *Loop) busy(ctx context.Context) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asleep = l.feeds.len() == 0 && len(l.jobs) == 0 && len(l.fresh) == 0 && ctx.Err() == nil
	return !l.asleep
}

// do hands the loop a job. It never blocks.
func (l *Loop) do(job func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs = append(l.jobs, job)
	l.rouse()
}

// rouse wakes the loop if it sleeps. The caller holds mu.
func (l *Loop) rouse() {
	if l.asleep {
		l.asleep = false
		l.poller.wake()
	}
}

// wake makes the loop go round once.
func (l *Loop) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rouse()
}

func (l *Loop) runJobs() {
	l.mu.Lock()
	l.asleep = false
	jobs, fresh := l.jobs, l.fresh
	l.jobs, l.fresh = nil, nil
	l.mu.Unlock()
	for _, f := range fresh {
		l.feeds.push(f)
	}
	for _, job := range jobs {
		job()
	}
}

// tick returns what time it is on the wheel. A pause of the whole process is
// taken out of it: it is nobody's silence.
func (l *Loop) tick() tick {
	now := 1 + tick(l.clock.Sub(l.start)/tickLength)
	if gap := now - l.wheel.now; gap > maxGap {
		l.start = l.start.Add(time.Duration(gap-maxGap) * tickLength)
		now = l.wheel.now + maxGap
	}
	return now
}

// Notify implements hub.Listener.
func (l *Loop) Notify(f *hub.Feed, bytes int, first bool) {
	l.backlog.Add(int64(bytes))
	if !first {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fresh = append(l.fresh, f)
	l.rouse()
}

// Pace implements hub.Listener.
func (l *Loop) Pace(ctx context.Context) error {
	for l.backlog.Load() > maxBacklog {
		l.mu.Lock()
		paced := l.paced
		l.mu.Unlock()
		if l.backlog.Load() <= maxBacklog {
			return nil
		}
		select {
		case <-paced:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Overloaded implements hub.Listener.
func (l *Loop) Overloaded() bool { return l.backlog.Load() > 8*maxBacklog }

// taken notes that bytes of the backlog were taken and lets publishers go on.
func (l *Loop) taken(bytes int) {
	left := l.backlog.Add(-int64(bytes))
	if left > maxBacklog || left+int64(bytes) <= maxBacklog {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.paced)
	l.paced = make(chan struct{})
}

// abandon dooms whatever is still there: the process is about to end.
func (l *Loop) abandon() {
	l.table.each(0, func(c *conn) bool {
		l.doom(c)
		return true
	})
}

// bury closes what was doomed in this round. Only now, because the round's
// events and batches may still have named it.
func (l *Loop) bury() {
	for _, c := range l.ended {
		l.detach(c)
		l.wheel.clear(c)
		delete(l.ids, c.session.ID)
		if c.stream != nil {
			c.stream.close()
		} else {
			l.poller.remove(c.fd)
		}
		_, held := c.session.Unfinished()
		if c.out != nil {
			held += len(c.out.replies)
			if c.out.own {
				held += len(c.out.rest)
			}
		}
		l.gate.hold(-held)
		l.Ended(c.code)
		address, user := c.session.Address.Addr(), c.session.User()
		l.table.release(c)
		l.gate.leave(address, user)
	}
	clear(l.ended)
	l.ended = l.ended[:0]
	if l.feeds.len() > 0 {
		runtime.Gosched() // a round without waiting: others need the processor too
	}
}
