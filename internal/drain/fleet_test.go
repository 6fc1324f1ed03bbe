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
	slow   time.Duration // how long Open takes to answer
	stuck  chan struct{} // when not nil, CloseSome hangs until it is closed
	deaf   chan struct{} // the same for StopAdmitting

	mu       sync.Mutex
	open     int
	told     int // told to leave and not gone yet
	refusing bool
	empty    chan struct{}
	orders   []int // what CloseSome was called with
}

func newCrowd(open int) *crowd { return &crowd{open: open, empty: make(chan struct{})} }

func (c *crowd) StopAdmitting() int {
	if c.deaf != nil {
		<-c.deaf
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusing = true
	c.checkEmptyLocked()
	return c.open
}

func (c *crowd) Open() int {
	c.mu.Lock()
	open := c.open
	c.mu.Unlock()
	time.Sleep(c.slow)
	return open
}

// admit adds n sessions.
func (c *crowd) admit(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open += n
}

func (c *crowd) Empty() <-chan struct{} { return c.empty }

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
	n = min(n, c.open-c.told)
	c.told += n
	time.AfterFunc(c.linger, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.told -= n
		c.goneLocked(n)
	})
}

// leave has n sessions that were not told to, or as many as there are, leave.
func (c *crowd) leave(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.goneLocked(min(n, c.open-c.told))
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

func (c *crowd) closed() (sum int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.orders {
		sum += n
	}
	return sum
}
