// Package chanlog is one channel's log: its messages, linked oldest to
// newest, each encoded once for everybody who gets it.
//
// The log is the queue. To publish is to append an entry; to deliver is to
// walk from an entry to its Next and write what lies between; to resume is to
// begin at the entry after the last one seen. A reader that falls behind
// holds nothing but the entry it stopped at, and the garbage collector lets
// go of what neither the log nor a reader needs.
//
// The package starts no goroutine, reads no clock and takes no lock. What
// changes a Log must be serialised by the caller; entries may be read by any
// number of goroutines meanwhile.
package chanlog
