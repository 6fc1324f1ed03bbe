package transport

import "holdfast.dev/holdfast/internal/ws"

// deflated returns a message's frame with its payload compressed, or nil when
// that gains nothing. It is how entries are compressed: once, for all loops.
func deflated(frame []byte) []byte {
	payload := frame[headerSize(frame):]
	if len(payload) < minDeflate {
		return nil
	}
	packed := ws.Deflate(make([]byte, 0, len(payload)/2), payload)
	if len(packed) >= len(payload) {
		return nil
	}
	return append(ws.AppendHeader(make([]byte, 0, 10+len(packed)), ws.Opcode(frame[0]&0x0f), true, len(packed)), packed...)
}

// minDeflate is the size below which compressing costs more than it saves.
const minDeflate = 256

// maxDeflate is the size of an answer to one client above which it goes out
// as it is: compressing it would keep the loop from all others for
// milliseconds.
const maxDeflate = 32 << 10

// headerSize returns the bytes before a server frame's payload (RFC 6455,
// section 5.2).
func headerSize(frame []byte) int {
	switch frame[1] {
	case 126:
		return 4
	case 127:
		return 10
	}
	return 2
}
