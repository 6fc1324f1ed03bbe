package ws

import "encoding/binary"

// xor masks or unmasks b in place with a frame's key (RFC 6455, section 5.3).
// The first byte of b stands at position pos of the frame's payload.
func xor(b []byte, key [4]byte, pos int) {
	if pos&3 != 0 {
		key = [4]byte{key[pos&3], key[(pos+1)&3], key[(pos+2)&3], key[(pos+3)&3]}
	}
	word := uint64(binary.LittleEndian.Uint32(key[:]))
	word |= word << 32
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^word)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= key[i&3]
	}
}
