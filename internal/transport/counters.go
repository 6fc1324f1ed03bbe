package transport

import (
	"sync/atomic"

	"holdfast.dev/holdfast/internal/wire"
)

// Counters are what a loop has done so far. Only the loop writes them.
type Counters struct {
	Accepted  atomic.Uint64 // sessions
	Delivered atomic.Uint64 // messages handed to sockets
	Sent      atomic.Uint64 // bytes handed to sockets
	Ended     Endings
}

// endings are the close codes that are counted one by one; 0 stands for
// connections that ended without a close frame of ours.
var endings = [...]wire.CloseCode{
	0, wire.CloseNormal, wire.CloseProtocol, wire.CloseBinary, wire.CloseBadUTF8, wire.ClosePolicy, wire.CloseTooBig,
	wire.CloseInternal, wire.CloseRestart, wire.CloseOverloaded, wire.CloseToken, wire.CloseTooSlow, wire.CloseByOperator,
}

// Endings counts ended sessions by close code.
type Endings struct {
	counts [len(endings)]atomic.Uint64
	others atomic.Uint64 // codes of the client's own
}

func (e *Endings) count(code wire.CloseCode) {
	for i, known := range endings {
		if known == code {
			e.counts[i].Add(1)
			return
		}
	}
	e.others.Add(1)
}

// Totals are the counters of all loops together.
type Totals struct {
	Accepted, Delivered, Sent uint64
	Ended                     map[wire.CloseCode]uint64 // by close code; 0 without one, 1 for codes of the client's own
	Refused                   map[string]uint64         // by reason
}

// Totals returns what was counted so far.
func (s *Server) Totals() Totals {
	t := Totals{Ended: make(map[wire.CloseCode]uint64), Refused: make(map[string]uint64)}
	for _, l := range s.loops {
		t.Accepted += l.Accepted.Load()
		t.Delivered += l.Delivered.Load()
		t.Sent += l.Sent.Load()
		for i, code := range endings {
			t.Ended[code] += l.Ended.counts[i].Load()
		}
		t.Ended[1] += l.Ended.others.Load()
	}
	for reason, name := range map[int]string{refusedDraining: "draining", refusedFull: "full", refusedRate: "rate"} {
		t.Refused[name] = s.gate.refused[reason].Load()
	}
	return t
}
