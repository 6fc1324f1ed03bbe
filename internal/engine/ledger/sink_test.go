package ledger_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// sink notes what is delivered and listens to nothing.
type sink struct {
	mu  sync.Mutex
	got []engine.Message
}

func (s *sink) Deliver(m engine.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, m)
}
func (s *sink) Suspect([]string)    {}
func (s *sink) Listens(string) bool { return false }

// seqs returns the seqs of what was delivered.
func (s *sink) seqs() (list []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.got {
		list = append(list, m.Entry.Seq)
	}
	return list
}

// nothing is a sink for benchmarks.
type nothing struct{}

func (nothing) Deliver(engine.Message) {}
func (nothing) Suspect([]string)       {}
func (nothing) Listens(string) bool    { return false }

var hundred = ledger.Rules{Default: ledger.Keep{Messages: 100, Age: 10 * time.Minute}}

func publish(t testing.TB, l *ledger.Ledger, channel, data string) wire.ID {
	t.Helper()
	ack, err := l.Publish(t.Context(), wire.Publication{Channel: channel, Data: []byte(data)})
	if err != nil {
		t.Fatal(err)
	}
	return ack.ID
}

func read(t testing.TB, l *ledger.Ledger, channel string, seq uint64) engine.Page {
	t.Helper()
	p, err := l.Read(t.Context(), channel, wire.ID{Epoch: l.Epoch(), Seq: seq}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// text returns seqs and kinds of the entries from first to last.
func text(first, last *chanlog.Entry) (s string) {
	for e := first; e != nil; e = e.Next() {
		s += fmt.Sprint(e.Seq)
		if e.Kind == chanlog.Gap {
			s += "gap"
		}
		if e == last {
			break
		}
		s += " "
	}
	return s
}
