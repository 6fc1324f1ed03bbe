// Package ledger is what engines that keep messages in this process share:
// the order of messages, the history that each channel keeps, idempotency
// keys, and the exact answer to "what did I miss?".
//
// # Order
//
// A Ledger has 64 shards. A channel belongs to one of them by a fixed hash of
// its name, the same in every process and version. A shard has one counter:
// seqs of a channel rise and have holes. Publish orders a message, appends it
// to its channel's log, trims the log and hands the message to the sink, all
// under the shard's lock; so the sink sees each channel in order.
//
// An engine that may only show what a disk has uses Order instead, and later
// Commit or Abandon. A ledger is used through Publish or through Order, never
// both.
//
// # Retention
//
// Rules say what a channel keeps: by number, age and bytes. Above that there
// is a bound for the whole process, over which the oldest messages go first,
// whatever their channel, to within a second. A gap entry stands where messages
// are lost and takes no message's room, as long as there are no more of them
// than messages. Age counts in whole seconds: a
// message stays at least as long as it was told to and up to two seconds
// longer.
//
// # What nobody listens to
//
// With Options.Unheard set, a message of a channel without listeners is not
// delivered and not encoded: its log keeps it as it was published, until
// somebody asks for an entry. Whether somebody listens is asked under the
// shard's lock, so whoever comes to listen gets a place behind it.
//
// # What is forgotten, and what is still known of it
//
// A channel with messages has a record. Once it holds none and nobody
// listens, its record is given back. So that nobody is ever told that nothing
// is missing when something is, a shard knows of channels without a record:
//
//   - of those somebody listens to: up to which seq messages may be gone,
//     since when they were attached;
//   - of the last 2,048 to 4,096 that were given back or left: the same;
//   - of all others together: the highest such seq of any of them.
//
// A place below that seq cannot be vouched for, and Read says that it is
// incomplete. It is wrong to say so only for a channel that was not listened
// to while thousands of others of its shard were given back after the place
// was handed out. Places are the shard's counter, not the channel's newest
// message, which keeps those of quiet channels high.
//
// # Journals
//
// With Options.Changed set, the ledger notes what changed, and Collect hands
// it over. Restore and RestoreShard put it back at the next start.
//
// # Successors
//
// Export writes everything down for Import in another process. From then on
// the first ledger, frozen, can follow the second one: a Tap is told every
// message, Apply takes it, and a Snapshot says what came while no tap was
// there, for Adopt. Own makes a follower the owner again.
package ledger
