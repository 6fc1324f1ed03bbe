package enginetest

import (
	"sync"

	"holdfast.dev/holdfast/internal/engine"
)

// sink notes what an engine delivers, and listens to the channels it was told
// to.
type sink struct {
	mu      sync.Mutex
	got     map[string][]engine.Message
	listens map[string]bool
}

func newSink() *sink {
	return &sink{got: make(map[string][]engine.Message), listens: make(map[string]bool)}
}

// Deliver implements engine.Sink.
func (s *sink) Deliver(m engine.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got[m.Channel] = append(s.got[m.Channel], m)
}

// Suspect implements engine.Sink.
func (s *sink) Suspect([]string) {}

// Listens implements engine.Sink.
func (s *sink) Listens(channel string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listens[channel]
}

// of returns what was delivered of a channel so far.
func (s *sink) of(channel string) []engine.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got[channel]
}

func (s *sink) listen(channel string, listens bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listens[channel] = listens
}
