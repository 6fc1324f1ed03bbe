// Package ws reads and writes WebSocket frames: RFC 6455 with the
// permessage-deflate extension of RFC 7692, without context takeover either
// way. It is a codec over bytes and knows no socket, goroutine or clock.
//
// A server checks the upgrade request with [CheckHandshake], writes
// [Handshake.AppendResponse], then feeds whatever arrives to a [Reader] and
// writes what [AppendFrame] and [AppendClose] make:
//
//	var r ws.Reader
//	err := r.Feed(input, limits, func(m ws.Message) error { ... })
//
// What it promises to a server that reads from strangers: every field of a
// frame's header is checked before memory is taken, in one order whatever the
// pieces in which the bytes arrive; memory follows the bytes received and
// never a length that was merely declared; text is checked for UTF-8 as it
// arrives; inflating ends as soon as the limit is passed; a Reader with
// nothing unfinished is one nil pointer.
package ws
