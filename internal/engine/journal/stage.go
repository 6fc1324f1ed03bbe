package journal

import (
	"sync"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// stage holds messages that have their place and wait for the disk, in the
// order of their seqs.
type stage struct {
	mu sync.Mutex

	// Guarded by mu.
	list  []*ledger.Pending
	spare []*ledger.Pending // room for the next list
	bytes int
}

// order is Submit where nothing is shown before it is durable.
func (e *Engine) order(p wire.Publication, done func(engine.Ack, error)) (ack engine.Ack, later bool, err error) {
	s := &e.stage
	s.mu.Lock()
	defer s.mu.Unlock()
	if refusal := e.refusing.Load(); refusal != nil {
		return engine.Ack{}, false, refusal
	}
	if len(s.list) >= maxWaiting || s.bytes+len(p.Data) > maxWaitingBytes {
		return engine.Ack{}, false, errBehind
	}
	m, ack, later, err := e.Ledger.Order(p, done)
	if m != nil {
		s.list = append(s.list, m)
		s.bytes += len(p.Data)
		if len(s.list) == 1 {
			e.wake()
		}
	}
	return ack, later, err
}

// take returns what is on the stage and clears it.
func (s *stage) take() []*ledger.Pending {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.list
	s.list, s.spare, s.bytes = s.spare[:0], nil, 0
	return list
}

// giveBack returns the room of a list that was taken.
func (s *stage) giveBack(list []*ledger.Pending) {
	clear(list)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spare = list[:0]
}

func (s *stage) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.list) == 0
}

// clearStage gives up what waits, and refuses everything from now on.
func (e *Engine) clearStage(err *wire.Error) {
	e.stage.mu.Lock()
	e.refusing.Store(err)
	list := e.stage.list
	e.stage.list, e.stage.bytes = nil, 0
	e.stage.mu.Unlock()
	e.Abandon(list, err)
}

// lastStage returns what waits and refuses everything from now on.
func (e *Engine) lastStage() []*ledger.Pending {
	e.stage.mu.Lock()
	defer e.stage.mu.Unlock()
	e.refusing.Store(errStopping)
	list := e.stage.list
	e.stage.list, e.stage.bytes = nil, 0
	return list
}
