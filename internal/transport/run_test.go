package transport

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// sly is a context that is over the moment that Server.Run looks at it while
// all loops sleep.
type sly struct {
	context.Context
	server *Server
	over   atomic.Bool
}

func (c *sly) Err() error {
	if pc, _, _, ok := runtime.Caller(1); ok && strings.HasSuffix(runtime.FuncForPC(pc).Name(), "(*Server).Run") {
		for !c.allSleep() {
			runtime.Gosched()
		}
		c.over.Store(true)
	}
	if c.over.Load() {
		return context.Canceled
	}
	return nil
}

func (c *sly) allSleep() bool {
	for _, l := range c.server.loops {
		l.mu.Lock()
		asleep := l.asleep
		l.mu.Unlock()
		if !asleep {
			return false
		}
	}
	return true
}

func TestServer_RunEndsThoughTheLoopsSleepWhenItLearnsOfIt(t *testing.T) {
	s := bare(t)
	ended := make(chan error)
	go func() { ended <- s.Run(&sly{Context: t.Context(), server: s}) }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it runs on")
	}
}
