package loadgen

import "holdfast.dev/holdfast/internal/ws"

// Dialect says how the clients of one kind of server speak: what they send to
// be set up, and how messages are found in what the server sends. One Dialect
// serves all clients and loops at once, so it must not change once in use.
type Dialect interface {
	// Request is the HTTP upgrade request of a client, head only.
	Request(client int) []byte
	// Greeting is what a client sends once upgraded, in whole masked frames
	// (see [AppendFrame]), and how many answers from the server make it
	// ready: calls of [Sink.Answer].
	Greeting(client int) (frames []byte, answers int)
	// Decode finds the messages in the payload of one text or binary frame
	// and hands them to the sink. It returns how many bytes it used; the rest
	// is shown again in front of the next payload of that client. The payload
	// is valid during the call only.
	Decode(payload []byte, to *Sink) (used int)
}

// The opcodes of RFC 6455, section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

// Text and Binary are the opcodes for [AppendFrame].
const (
	Text   = byte(opText)
	Binary = byte(opBinary)
)

// AppendFrame appends one whole client frame to dst. Its masking key is zero, so
// that the payload travels as it stands: a server unmasks it like any other,
// and the unpredictable key of RFC 6455 section 5.3 protects proxies, of which
// there is none between a load generator and its server.
func AppendFrame(dst []byte, opcode byte, payload []byte) []byte {
	return ws.AppendMasked(dst, ws.Opcode(opcode), [4]byte{}, payload)
}

// upgradeRequest is the head that turns a connection to host into a WebSocket.
func upgradeRequest(host, target, extra string) []byte {
	return []byte("GET " + target + " HTTP/1.1\r\nHost: " + host +
		"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: aG9sZGZhc3QgbG9hZCBnZQ==\r\nSec-WebSocket-Version: 13\r\n" + extra + "\r\n")
}

// Upgrade is the request for a WebSocket at target (path and query) of host.
func Upgrade(host, target string) []byte { return upgradeRequest(host, target, "") }
