package metrics

import "holdfast.dev/holdfast/internal/drain"

// Refusals count sessions that were refused, by the bound that was reached.
type Refusals struct {
	Sessions, ConnectRate, PerAddress, PerUser uint64
}

// Sources are where values are read from. All fields are required. The
// functions are called at every scrape, possibly by several goroutines at
// once, and must not block.
type Sources struct {
	Version string // of this program

	Sessions      func() int    // open now
	MaxSessions   func() int    // that may be open at once
	Accepted      func() uint64 // sessions ever opened over WebSockets
	Listened      func() uint64 // sessions ever opened that get Server-Sent Events
	Subscriptions func() int    // held now by all sessions, broadcast not counted
	Channels      func() int    // that somebody listens to now
	Published     func() uint64 // messages accepted from publishers
	Delivered     func() uint64 // messages handed to the sockets of sessions
	SentBytes     func() uint64 // bytes written to the sockets of sessions
	HeldBytes     func() int64  // bytes kept now for unfinished messages and unread replies

	// Scheduled adds up what became of the schedules in force: messages
	// published, publishes that failed, and times that were missed.
	Scheduled func() (published, failed, skipped int64)

	History func() History // what is kept of messages

	// Refusals are the sessions that were not let in, by the bound that they
	// would have gone beyond.
	Refusals func() Refusals

	Drain   func() drain.Progress // how the drain stands
	Drained func() Drained        // what drains did to sessions
}

// Drained counts what drains did to sessions, those included that were called
// off.
type Drained struct {
	Told                uint64 // notices sent to sessions
	Moved, Shed, Forced uint64 // sessions that ended, by how
}
