package httpapi

import (
	"sync"
	"time"
)

// A refused page comes back every few seconds, and anyone can make up
// origins: the log hears of each once an hour, and of so many at most.
const (
	grudgeFor = time.Hour
	grudges   = 256
)

// grudge remembers whose refusal was logged lately. The zero value is ready;
// it may be used by many goroutines.
type grudge struct {
	mu   sync.Mutex
	seen map[string]time.Time // guarded by mu
}

// first reports whether the refusal of who is to be logged now.
func (g *grudge) first(who string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if at, ok := g.seen[who]; ok && now.Sub(at) < grudgeFor {
		return false
	}
	if len(g.seen) >= grudges {
		g.forget(now)
	}
	if len(g.seen) >= grudges {
		return false
	}
	if g.seen == nil {
		g.seen = make(map[string]time.Time)
	}
	g.seen[who] = now
	return true
}

// forget makes room. g.mu is held.
func (g *grudge) forget(now time.Time) {
	for who, at := range g.seen {
		if now.Sub(at) >= grudgeFor {
			delete(g.seen, who)
		}
	}
}
