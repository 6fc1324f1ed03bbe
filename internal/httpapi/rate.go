package httpapi

import (
	"crypto/sha256"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"holdfast.dev/holdfast/internal/auth"
	"holdfast.dev/holdfast/internal/wire"
)

// rates bounds the messages that each publisher sends: so many a second in
// the long run, and as many at once. Every attempt counts, published or not.
// A nil *rates bounds nothing.
//
// Only publishers that have lately sent something take up memory: who has
// all of a second's messages left again is forgotten.
type rates struct {
	// Static after newRates.
	keyed    bool
	interval time.Duration // between two messages in the long run
	refusal  *wire.Error
	start    time.Time

	mu      sync.Mutex
	budgets map[publisherID]*budget // guarded by mu
	swept   time.Duration           // since start; guarded by mu
}

// publisherID is who a message counts for: the API key, by its sum, or on a
// server without keys the network that the request came from.
type publisherID struct {
	key     [sha256.Size]byte
	network netip.Addr
}

// budget is what one publisher may still send. It is the time, in
// nanoseconds since the rates' start, from which on it may send a whole
// second's messages at once (the "theoretical arrival time" of the generic
// cell rate algorithm, ITU-T I.371).
type budget struct {
	rates *rates
	full  atomic.Int64
	users int // requests that hold it; guarded by rates.mu
}

// newRates returns bounds of so many messages a second, or nil for 0.
func newRates(perSecond int, keyed bool) *rates {
	if perSecond == 0 {
		return nil
	}
	who := "from one address"
	if keyed {
		who = "with one API key"
	}
	return &rates{
		keyed:    keyed,
		interval: max(1, time.Second/time.Duration(perSecond)),
		refusal:  wire.Errorf(wire.TooManyRequests, "more than %d messages in one second %s (--max-publish-rate); this one was not published", perSecond, who),
		start:    time.Now(),
		budgets:  make(map[publisherID]*budget),
	}
}

// budget returns the budget of who makes a request, which must have passed
// the guards, or nil without a bound. It must be given back with done.
func (s *rates) budget(r *http.Request) *budget {
	if s == nil {
		return nil
	}
	id := s.identify(r)
	now := time.Since(s.start)
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.budgets[id]
	if b == nil {
		s.sweep(now)
		b = &budget{rates: s}
		s.budgets[id] = b
	}
	b.users++
	return b
}

func (s *rates) identify(r *http.Request) (id publisherID) {
	if s.keyed {
		token, _ := auth.Bearer(r.Header) // the guards have found it good
		id.key = sha256.Sum256([]byte(token))
		return id
	}
	id.network = clientAddress(r).Addr().WithZone("")
	if id.network.Is6() {
		p, _ := id.network.Prefix(64)
		id.network = p.Addr()
	}
	return id
}

// sweep forgets who is as good as new, once a second at most. s.mu is held.
func (s *rates) sweep(now time.Duration) {
	if now-s.swept < time.Second {
		return
	}
	s.swept = now
	for id, b := range s.budgets {
		if b.users == 0 && b.full.Load() <= int64(now) {
			delete(s.budgets, id)
		}
	}
}

// done gives the budget back. It may be nil.
func (b *budget) done() {
	if b == nil {
		return
	}
	b.rates.mu.Lock()
	defer b.rates.mu.Unlock()
	b.users--
}

// spend takes one message off and reports whether it may be sent. lately is
// a time that is not long ago: the clock is only read if that is not enough.
// A nil budget has no end.
func (b *budget) spend(lately time.Time) bool {
	return b == nil || b.spendAt(lately) || b.spendAt(time.Now())
}

func (b *budget) spendAt(at time.Time) bool {
	now, interval := int64(at.Sub(b.rates.start)), int64(b.rates.interval)
	for {
		full := b.full.Load()
		next := max(full, now) + interval
		if next-now > int64(time.Second) {
			return false
		}
		if b.full.CompareAndSwap(full, next) {
			return true
		}
	}
}

// throttle takes one message off what the publisher of a request may send,
// or says what to answer it: the next may be sent within a second.
func (a *api) throttle(w http.ResponseWriter, r *http.Request) *wire.Error {
	if a.rates == nil {
		return nil
	}
	b := a.rates.budget(r)
	defer b.done()
	if b.spend(time.Now()) {
		return nil
	}
	a.CountThrottled()
	w.Header().Set("Retry-After", "1")
	return a.rates.refusal
}
