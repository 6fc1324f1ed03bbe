package drain

import (
	"sync"
	"time"
)

// crowd is a fleet of sessions without sockets. A session that is told to
// leave is gone after linger.
type crowd struct {
	linger time.Duration
	misses int           // how many too few CloseSome tells of a slice
	slow   time.Duration // how long Census takes to answer
	stuck  chan struct{} // when not nil, CloseSome hangs until it is closed
	deaf   chan struct{} // the same for StopAdmitting

	mu       sync.Mutex
	open     int
	admitted int
	closing  int // told to leave and not gone yet
	restarts int
	moved    int
	refusing bool
	empty    chan struct{}
	orders   []int // what CloseSome was called with
	slices   []slice
	notices  []Notice
}

// slice is sessions that were closed at one time.
type slice struct {
	at time.Time
	n  int
}

func newCrowd(open int) *crowd { return &crowd{open: open, empty: make(chan struct{})} }

func (c *crowd) StopAdmitting() {
	if c.deaf != nil {
		<-c.deaf
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusing = true
	c.checkEmptyLocked()
}

func (c *crowd) ResumeAdmitting() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refusing {
		c.refusing, c.empty = false, make(chan struct{})
	}
}

func (c *crowd) Census() Census {
	c.mu.Lock()
	n := Census{Open: c.open, Admitted: c.admitted, Refusing: c.refusing, Staying: c.open - c.closing, Restarts: c.restarts, Moved: c.moved}
	c.mu.Unlock()
	time.Sleep(c.slow)
	return n
}

// admit adds n sessions, if it lets any in.
func (c *crowd) admit(n int) (admitted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.refusing {
		c.open += n
		c.admitted += n
	}
	return !c.refusing
}

func (c *crowd) Empty() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.empty
}

func (c *crowd) Tell(n Notice) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notices = append(c.notices, n)
}

func (c *crowd) CloseSome(n int) {
	if c.stuck != nil {
		<-c.stuck
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.orders = append(c.orders, n)
	if n < c.open {
		n = max(n-c.misses, 0)
	}
	n = min(n, c.open-c.closing)
	c.closing += n
	c.restarts += n
	c.slices = append(c.slices, slice{time.Now(), n})
	time.AfterFunc(c.linger, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.closing -= n
		c.goneLocked(n)
	})
}

// leave has n sessions that were not told to, or as many as there are, leave.
func (c *crowd) leave(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.goneLocked(min(n, c.open-c.closing))
}

// move has n sessions leave that were invited to, or as many as there are.
func (c *crowd) move(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n = min(n, c.open-c.closing)
	c.moved += n
	c.goneLocked(n)
}

func (c *crowd) goneLocked(n int) {
	c.open -= n
	c.checkEmptyLocked()
}

func (c *crowd) checkEmptyLocked() {
	if c.open > 0 || !c.refusing {
		return
	}
	select {
	case <-c.empty:
	default:
		close(c.empty)
	}
}
