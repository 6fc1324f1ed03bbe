package journal

import (
	"encoding/binary"

	"holdfast.dev/holdfast/internal/engine/ledger"
)

// Notes stand in the file while a shard rests: below (8), then hash and seq
// of each channel (16).

func encodeNotes(n ledger.Notes, name string) []byte {
	b := make([]byte, 0, 8+16*len(n.Channels)+4)
	b = binary.BigEndian.AppendUint64(b, n.Below)
	for hash, seq := range n.Channels {
		b = binary.BigEndian.AppendUint64(b, hash)
		b = binary.BigEndian.AppendUint64(b, seq)
	}
	return seal(b, name)
}

// decodeNotes returns nil for what no notes can be.
func decodeNotes(b []byte) *ledger.Notes {
	if len(b) < 8 || len(b)%16 != 8 {
		return nil
	}
	n := &ledger.Notes{Below: binary.BigEndian.Uint64(b), Channels: make(map[uint64]uint64, len(b)/16)}
	for b = b[8:]; len(b) > 0; b = b[16:] {
		n.Channels[binary.BigEndian.Uint64(b)] = binary.BigEndian.Uint64(b[8:])
	}
	return n
}
