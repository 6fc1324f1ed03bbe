// Package transport carries sessions between sockets and the hub.
//
// A Server has one Loop a core. A session belongs to one loop for life, and
// all its state is touched by that loop alone; others talk to a loop by
// handing it jobs. On Linux a session on plain TCP is a bare descriptor in
// the loop's epoll: no goroutine, no timer and no buffer of its own. TLS, and
// every session on other systems, has a stream: a goroutine that reads, and
// one that writes while there is something to write.
//
// A session that is caught up costs a channel one slot number. One that is
// not, because its socket would block, has an outbox: cursors into the logs
// that it stopped in, and its own replies. Nothing else is queued anywhere.
package transport
