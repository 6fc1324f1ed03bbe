package loadgen

import "time"

// fault notes what went wrong for a client.
func (s *shard) fault(what string) {
	s.fleet.mu.Lock()
	defer s.fleet.mu.Unlock()
	const kinds = 20
	if _, known := s.fleet.faults[what]; known || len(s.fleet.faults) < kinds {
		s.fleet.faults[what]++
	}
}

// ended settles the count of a client whose connection is over: it is dialled
// again when the server asked to come later, else it has failed or was closed.
func (s *shard) ended(i int, why error) {
	c := &s.clients[i]
	was := c.phase
	defer s.fleet.signal()
	c.rest, c.held, c.partial, c.out = nil, nil, nil, nil
	c.phase = gone
	s.open--
	switch was {
	case dialling, upgrading:
		s.busy--
		if r, ok := why.(refusal); ok && r.later() && s.mayRetry() {
			c.phase = waiting
			s.queue = append(s.queue, i)
			s.counts.refused.Add(1)
			s.pause()
			return
		}
		s.counts.failed.Add(1)
	case serving:
		if c.awaited > 0 {
			s.counts.failed.Add(1)
		} else {
			s.counts.ready.Add(-1)
			s.counts.ended.Add(1)
		}
	default:
		return // closing: that was expected
	}
	if why != nil {
		s.fault(why.Error())
	}
}

// report lets other goroutines see how far the shard has come, after each
// round of its loop, and wakes one that waits for that.
func (s *shard) report() {
	settled := s.tally.delivered + s.tally.lost
	news := s.lanes > 1 && settled != s.counts.settled.Load()
	s.counts.settled.Store(settled)
	s.counts.delivered.Store(s.tally.delivered)
	if want := s.fleet.wanted.Load(); s.lanes == 1 && want > s.reached && s.all(want) {
		s.reached, news = want, true
		s.counts.reached.Store(want)
	}
	if news {
		s.fleet.signal()
	}
}

// all reports whether every client that reads has received number want. It
// remembers how many it has found so, since none goes back: a round costs only
// what is new.
func (s *shard) all(want uint64) bool {
	if want != s.sought {
		s.sought, s.passed = want, 0
	}
	for ; s.passed < len(s.clients); s.passed++ {
		c := &s.clients[s.passed]
		if s.tally.last[s.passed] < want && !c.stalled && c.phase == serving {
			return false
		}
	}
	return true
}

// How long the server's request to come later is heeded, in all and each time.
const (
	retryFor  = 30 * time.Second
	retryWait = 250 * time.Millisecond
)

func (s *shard) mayRetry() bool { return time.Since(s.started) < retryFor }

func (s *shard) pause() { s.notBefore = time.Now().Add(retryWait) }

// next is the client to dial now, if any.
func (s *shard) next() (i int, ok bool) {
	if len(s.queue) == 0 || s.busy >= s.fleet.opt.Dialing || !s.notBefore.IsZero() && time.Now().Before(s.notBefore) {
		return 0, false
	}
	i = s.queue[len(s.queue)-1]
	s.queue = s.queue[:len(s.queue)-1]
	s.busy++
	s.open++
	return i, true
}
