//go:build linux

package oracle

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// setup says what a trial is like and what the program promised.
type setup struct {
	flags   []string
	history int  // messages that a channel keeps
	lag     int  // bytes that a client may be behind
	skip    bool // slow clients are skipped, not closed
	fickle  bool // a channel may keep less than history
	polite  bool // clients go when the server is to end
	journal bool // what was published outlives the process
	sync    bool // acknowledged only when it is on the disk

	// disturb is what happens meanwhile.
	disturb func(t *trial)
	// reach is what a trial is for, and reached how often that happened: one
	// in which it never did is no proof, and is tried again.
	reach   string
	reached func(t *tally) int
}

// trial is one run of the program with all that act on it.
type trial struct {
	*testing.T
	setup
	seed    uint64
	book    *book
	server  *server
	clients []*client
	weight  int // of all channels
	rng     *rand.Rand

	busy   time.Time       // it is quiet from then on
	calm   chan struct{}   // closed then
	finals chan struct{}   // closed when last is known
	last   map[*channel]id // nil when there is no use in waiting for the end
	acks   chan struct{}   // who waits here hears of the next acknowledgement
	leave  atomic.Bool     // clients are to go
	pages  []page
}

// weight is how often a channel is published to.
func weight(channel string) int {
	switch kind, _, _ := strings.Cut(channel, "-"); kind {
	case "hot":
		return 100
	case "fat":
		return 50
	case "warm":
		return 15
	case "broadcast":
		return 12
	}
	return 1
}

func channels() (all []*channel) {
	add := func(kind string, n, size int) {
		for i := range n {
			all = append(all, &channel{name: fmt.Sprint(kind, "-", i), size: size})
		}
	}
	add("hot", 3, 200)
	add("fat", 2, 16000)
	add("warm", 8, 500)
	add("quiet", 10, 300)
	return append(all, &channel{name: "broadcast", size: 100})
}

// args are the flags of the program.
func (s setup) args(dir string) []string {
	config := filepath.Join(dir, "holdfast.yaml")
	if err := os.WriteFile(config, []byte("schedules: []\n"), 0o600); err != nil {
		panic(err)
	}
	args := append(slices.Clone(s.flags), "--config", config, "--history-messages", strconv.Itoa(s.history), "--max-lag", strconv.Itoa(s.lag)+"B")
	if s.journal {
		args = append(args, "--data", filepath.Join(dir, "data"))
	}
	return args
}

// run runs trials until one has reached what it is for.
func (s setup) run(test *testing.T) {
	const attempts = 5
	for range attempts {
		j := s.once(test)
		if test.Failed() || s.reached == nil || s.reached(&j.tally) > 0 {
			return
		}
	}
	test.Errorf("there were no %s in any of %d trials", s.reach, attempts)
}

// once runs one trial and judges it.
func (s setup) once(test *testing.T) *judge {
	t := &trial{T: test, setup: s, seed: *seedFlag, calm: make(chan struct{}), finals: make(chan struct{}), last: make(map[*channel]id), acks: make(chan struct{})}
	if t.seed == 0 {
		t.seed = rand.Uint64() >> 1
	}
	t.Logf("replay with -run '^%s$' -oracle-seed %d", test.Name(), t.seed)
	t.rng = rand.New(rand.NewPCG(t.seed, 0))
	t.book = newBook(channels())
	for _, c := range t.book.channels {
		t.weight += weight(c.name)
	}
	t.server = newServer(test, s.args(test.TempDir())...)
	defer t.server.kill()
	t.server.start()
	if !t.Failed() {
		t.act()
	}
	if t.Failed() {
		t.FailNow()
	}
	j := t.judge()
	j.report()
	return j
}

// act has all that act do so, until everybody has seen the end.
func (t *trial) act() {
	const publishers, batches = 5, 25
	t.busy = time.Now().Add(*timeFlag)
	time.AfterFunc(*timeFlag, func() { close(t.calm) })
	for i := range *clientFlag {
		t.clients = append(t.clients, newClient(t, i))
	}
	var posting, living sync.WaitGroup
	for i := range publishers {
		posting.Go(func() { newPublisher(t, i).run(batches) })
	}
	for _, c := range t.clients {
		living.Go(c.run)
	}
	posting.Go(t.look)
	if t.disturb != nil {
		posting.Go(func() { t.disturb(t) })
	}
	posting.Wait()
	t.finish()
	living.Wait()
}

// finish publishes one more message to each channel.
func (t *trial) finish() {
	defer close(t.finals)
	p := newPublisher(t, 99)
	defer p.web.CloseIdleConnections()
	for _, c := range t.book.channels {
		m := c.next(p.number, func(int) string { return "" })
		p.one(m, patience)
		if a := m.attempts[0]; a.outcome != acked {
			t.Errorf("the last message of %s was not published: %v %s", c.name, a.outcome, a.said)
			t.last = nil
			return
		}
		t.last[c] = m.attempts[0].id
	}
}

// quiet reports whether nothing is begun any more.
func (t *trial) quiet() bool {
	select {
	case <-t.calm:
		return true
	default:
		return false
	}
}

// pause waits so long, or until the trial is quiet.
func (t *trial) pause(long time.Duration) {
	if long <= 0 || t.quiet() {
		return
	}
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.calm:
	}
}

// restart ends the server with a signal, just when something was acknowledged,
// and starts it again after a while.
func (t *trial) restart(sig syscall.Signal, away time.Duration) {
	select {
	case <-t.acks:
	case <-t.calm:
	}
	r := restart{killed: t.book.now(), crash: sig == syscall.SIGKILL}
	t.leave.Store(t.polite)
	t.server.stop(sig)
	t.leave.Store(false)
	t.pause(away)
	t.server.start()
	r.up = t.book.now()
	t.book.restarts = append(t.book.restarts, r)
}
