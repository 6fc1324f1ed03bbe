// Package journal is the engine that keeps messages in this process and on a
// disk: after a crash at any instant its epoch and its history are there
// again, no seq is given out twice, and what was lost is told as a gap.
//
// # The log is the queue, here too
//
// The journal is one more reader of every channel's log: of each it knows how
// far the file goes. There is no second queue. A batch takes, of the channels
// that changed, what the log still holds and the file does not; what came and
// went in between is never written. So a hot channel costs no more than its
// history, fifty milliseconds at a time.
//
// With [Async] a publish is answered from memory and batches follow. With
// [Sync] publishes are ordered, wait unseen for the next batch, and are
// delivered and answered when that is on the disk; while one batch is being
// synced the next one gathers.
//
// # The file
//
// One file of go.etcd.io/bbolt. Records stand in the order in which they were
// written, not by channel, so that a batch writes at one end of the file
// however many channels it has. Each has a checksum and names the seq before
// it in its channel, and the head counts the records of each shard: a record
// that is damaged, missing, or there against expectation is noticed, and is a
// gap in its place. What retention dropped is deleted later, in groups.
//
// # Counters
//
// Before a shard of the ledger gives out a seq, the file must say that it may
// have gone up to a ceiling, a million seqs further on. After a crash the
// counter goes on above the ceiling; the seqs between the last one in the
// file and the ceiling are those that may be lost. A shard in which nothing
// happened for a second takes its ceiling back: a crash then loses nothing,
// and no gap is told.
//
// # Failures
//
// While the disk takes nothing, publishes are refused and everything else
// goes on. What was acknowledged stays in memory and is written when the disk
// takes bytes again. After a sync that failed, nothing is believed of the
// file: it is written anew from memory.
package journal
