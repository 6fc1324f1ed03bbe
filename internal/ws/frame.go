package ws

import "encoding/binary"

// AppendHeader appends the header of an unmasked final frame of n payload
// bytes. Compressed says that the payload is what [Deflate] made.
func AppendHeader(dst []byte, op Opcode, compressed bool, n int) []byte {
	return appendHeader(dst, op, compressed, 0, n)
}

// AppendFrame appends a server's frame: unmasked, final, not compressed.
func AppendFrame(dst []byte, op Opcode, payload []byte) []byte {
	return append(AppendHeader(dst, op, false, len(payload)), payload...)
}

// AppendMasked appends a client's frame: masked, final, not compressed. The
// payload itself is left as it is.
func AppendMasked(dst []byte, op Opcode, mask [4]byte, payload []byte) []byte {
	dst = appendHeader(dst, op, false, bitMask, len(payload))
	dst = append(dst, mask[:]...)
	dst = append(dst, payload...)
	xor(dst[len(dst)-len(payload):], mask, 0)
	return dst
}

// appendHeader appends all of a header but the masking key.
func appendHeader(dst []byte, op Opcode, compressed bool, mask byte, n int) []byte {
	first := bitFin | byte(op)
	if compressed {
		first |= bitRSV1
	}
	switch {
	case n < length16:
		return append(dst, first, mask|byte(n))
	case n <= 0xffff:
		dst = append(dst, first, mask|length16)
		return binary.BigEndian.AppendUint16(dst, uint16(n))
	}
	dst = append(dst, first, mask|length64)
	return binary.BigEndian.AppendUint64(dst, uint64(n))
}
