package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/wire"
)

// record is one entry of a log as it stands in the file.
type record struct {
	pos     uint64 // where it stands among all records: its key
	seq     uint64
	prev    uint64 // seq before it in its channel
	at      uint32 // Unix seconds
	kind    chanlog.Kind
	first   bool // what the channel had before is not held any more
	channel string
	json    []byte
}

// A record's value: version, kind, length of the channel's name, first,
// CRC-32C of key and value (4 bytes), seconds (4), seq (8), prev (8), the
// name, the JSON. Numbers are big endian.
const (
	recordVersion = 1
	recordHead    = 28
	maxJSON       = 64 << 20 // no message is longer
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendPosition appends a record's key.
func appendPosition(dst []byte, pos uint64) []byte { return binary.BigEndian.AppendUint64(dst, pos) }

// appendRecord appends a record's value.
func appendRecord(dst []byte, r *record) []byte {
	start := len(dst)
	first := byte(0)
	if r.first {
		first = 1
	}
	dst = append(dst, recordVersion, byte(r.kind), byte(len(r.channel)), first, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, r.at)
	dst = binary.BigEndian.AppendUint64(dst, r.seq)
	dst = binary.BigEndian.AppendUint64(dst, r.prev)
	dst = append(dst, r.channel...)
	dst = append(dst, r.json...)
	var key [8]byte
	binary.BigEndian.PutUint64(key[:], r.pos)
	binary.BigEndian.PutUint32(dst[start+4:], recordSum(key[:], dst[start:]))
	return dst
}

// recordSum is the checksum of a record, without the four bytes that hold it.
func recordSum(key, value []byte) uint32 {
	sum := crc32.Update(0, castagnoli, key)
	sum = crc32.Update(sum, castagnoli, value[:4])
	return crc32.Update(sum, castagnoli, value[8:])
}

// parseRecord reads a record; its json aliases value. With an error it
// returns what the record seems to be, for a report.
func parseRecord(key, value []byte) (record, error) {
	if len(key) != 8 {
		return record{}, fmt.Errorf("a key of %d bytes", len(key))
	}
	r := record{pos: binary.BigEndian.Uint64(key)}
	if len(value) < recordHead || len(value)-recordHead > maxJSON {
		return r, fmt.Errorf("%d bytes long", len(value))
	}
	r.kind, r.first, r.at = chanlog.Kind(value[1]), value[3] == 1, binary.BigEndian.Uint32(value[8:])
	r.seq, r.prev = binary.BigEndian.Uint64(value[12:]), binary.BigEndian.Uint64(value[20:])
	name := int(value[2])
	if recordHead+name > len(value) {
		return r, errors.New("cut short")
	}
	r.channel, r.json = string(value[recordHead:recordHead+name]), value[recordHead+name:]
	if binary.BigEndian.Uint32(value[4:]) != recordSum(key, value) {
		return r, errors.New("the checksum does not match")
	}
	return r, r.check(value)
}

// check finds what no checksum does: a record that was written wrong.
func (r *record) check(value []byte) error {
	switch {
	case value[0] != recordVersion || value[3] > 1:
		return fmt.Errorf("of the unknown version %d", value[0])
	case r.kind != chanlog.Message && r.kind != chanlog.Gap:
		return fmt.Errorf("of the unknown kind %d", r.kind)
	case wire.CheckChannel(r.channel) != nil:
		return errors.New("of a channel that cannot be")
	case r.seq == 0 || r.prev >= r.seq:
		return errors.New("out of order")
	case wire.CheckJSON(r.json) != nil:
		return errors.New("no valid JSON")
	}
	return nil
}
