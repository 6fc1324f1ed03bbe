// Package httpapi is the server's HTTP interface: publishing, looking,
// disconnecting, probes, and the checks that stand before a WebSocket.
//
// New returns one handler. Every request passes the guards of guard.go in
// their order (framing, Host, Authorization, cross-origin, key) before it is
// routed, and every refusal, here or below, is a wire.Error that answer.go
// turns into a status and a JSON body. Server puts the handler behind the
// deadlines that a public port needs, and Listener lets it see what net/http
// hides: a request that carries both Content-Length and Transfer-Encoding.
//
// The package knows the hub, the sessions and the transport only by the
// small interfaces in deps.go.
package httpapi
