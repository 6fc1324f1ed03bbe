// Package loadgen puts a WebSocket server under load and checks what comes
// back.
//
// A [Fleet] is many clients in one process: on Linux a few event loops over
// non-blocking sockets with one read buffer each, elsewhere a goroutine per
// client. A [Feed] publishes numbered messages through a [Publisher], at a rate
// or as fast as the slowest client receives. Every client checks that the
// numbers it gets are contiguous, so a [Fleet] knows exactly what was lost,
// repeated or out of order. A [Dialect] says how one kind of server is spoken
// to; [Holdfast] is the one of this project, others live beside the comparison
// benchmark.
//
// [Bench] puts these together into one measurement with a [Report].
package loadgen
