package transport

import "sync/atomic"

// Counters are what a loop has done so far. Only the loop writes them.
type Counters struct {
	Accepted       atomic.Uint64 // sessions over WebSockets
	AcceptedEvents atomic.Uint64 // sessions that get Server-Sent Events
	Delivered      atomic.Uint64 // messages handed to sockets
	Sent           atomic.Uint64 // bytes handed to sockets
	Replayed       atomic.Uint64 // messages of the past that clients asked for
	Skipped        atomic.Uint64 // messages that slow sessions were told they missed

	Told     atomic.Uint64 // notices
	Restarts atomic.Uint64 // sessions that were ended because this server ends
	Moved    atomic.Uint64 // sessions that left after they had been invited to

	// Undelivered counts the messages that sessions did not take any more
	// when this server ended them.
	Undelivered atomic.Uint64
}

// Totals are the counters of all loops together.
type Totals struct {
	Accepted, AcceptedEvents, Delivered, Sent, Replayed, Skipped, Told, Restarts, Moved, Undelivered uint64
}

// Totals returns what was counted so far.
func (s *Server) Totals() (t Totals) {
	for _, l := range s.loops {
		t.Accepted += l.Accepted.Load()
		t.AcceptedEvents += l.AcceptedEvents.Load()
		t.Delivered += l.Delivered.Load()
		t.Sent += l.Sent.Load()
		t.Replayed += l.Replayed.Load()
		t.Skipped += l.Skipped.Load()
		t.Told += l.Told.Load()
		t.Restarts += l.Restarts.Load()
		t.Moved += l.Moved.Load()
		t.Undelivered += l.Undelivered.Load()
	}
	return t
}
