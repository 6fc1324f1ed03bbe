// Package relay lets the ownership of messages move from one process to
// another while both serve clients.
//
// # The door
//
// An Engine stands before another engine for as long as the process lives.
// While that orders messages, the door costs a publish two additions. Pause
// has publishes wait, no longer than Patience, and returns when none is under
// way; then what is behind the door can be exchanged, and Resume lets those
// that wait in, in their order.
//
// # The link
//
// When another process has taken over what the ledger behind the door knows,
// the ledger follows that process: a Link carries every message of every
// channel there, in order, and every publication of this process back. What a
// publication is answered comes behind the message itself, so that this
// process has delivered it by then. Greet and Answer begin a link, Follow and
// Feed.Run work it.
//
// The owner never waits for a follower. What it has to tell one stands in a
// queue with a bound; over that, the rest is told from the logs later on: by
// a snapshot of what a shard came to know since. The follower misses only
// what came and went in between, and its hub is told to read again.
//
// # The end of a link
//
// Goodbye ends it in order: nothing is lost, and whoever stays can go on as
// the owner. When the owner dies, Promote makes the follower's ledger the
// owner, with seqs beyond all that may have been given out and a gap in every
// channel. Publications whose outcome is not known then are answered as
// uncertain; those that were not sent wait, and are published here.
package relay
