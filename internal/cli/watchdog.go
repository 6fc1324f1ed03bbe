package cli

import (
	"errors"
	"sync"
	"time"
)

// errSilent ends a connection on which the server has fallen silent.
var errSilent = errors.New("the server has fallen silent")

// watchdog notices that the other side of a connection is gone although
// nothing said so. Its methods may be called concurrently.
type watchdog struct {
	mu    sync.Mutex
	timer *time.Timer
	limit time.Duration
}

// start calls bark, in a goroutine of its own, when nothing is heard for
// limit.
func (w *watchdog) start(limit time.Duration, bark func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limit = limit
	w.timer = time.AfterFunc(limit, bark)
}

// expect sets the limit from the server's heartbeat in seconds: two and a
// half of them.
func (w *watchdog) expect(heartbeat float64) {
	if heartbeat <= 0 || heartbeat > 86400 {
		heartbeat = 86400
	}
	w.mu.Lock()
	w.limit = time.Duration(2.5 * heartbeat * float64(time.Second))
	w.mu.Unlock()
	w.heard()
}

// heard begins the silence anew.
func (w *watchdog) heard() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Reset(w.limit)
	}
}

func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Stop()
}
