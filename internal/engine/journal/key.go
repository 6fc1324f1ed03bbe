package journal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"holdfast.dev/holdfast/internal/engine/ledger"
)

// An idempotency key's place in the file is its time, in Unix nanoseconds,
// and its sum, so that the oldest come first. The value: shard, seq (8),
// CRC-32C of all that (4).
const (
	keyPlace = 8 + len(ledger.Sum{})
	keyValue = 1 + 8 + 4
)

// keyRecord is an idempotency key that was used lately.
type keyRecord struct {
	shard int
	key   ledger.Key
}

func appendKeyPlace(dst []byte, k *ledger.Key) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(k.At))
	return append(dst, k.Sum[:]...)
}

func appendKeyValue(dst, place []byte, k *keyRecord) []byte {
	start := len(dst)
	dst = append(dst, byte(k.shard))
	dst = binary.BigEndian.AppendUint64(dst, k.key.Seq)
	sum := crc32.Update(crc32.Checksum(place, castagnoli), castagnoli, dst[start:])
	return binary.BigEndian.AppendUint32(dst, sum)
}

func parseKey(place, value []byte) (keyRecord, error) {
	if len(place) != keyPlace || len(value) != keyValue {
		return keyRecord{}, errors.New("of the wrong length")
	}
	if binary.BigEndian.Uint32(value[9:]) != crc32.Update(crc32.Checksum(place, castagnoli), castagnoli, value[:9]) {
		return keyRecord{}, errors.New("the checksum does not match")
	}
	k := keyRecord{shard: int(value[0]), key: ledger.Key{
		Sum: ledger.Sum(place[8:]), Seq: binary.BigEndian.Uint64(value[1:]), At: int64(binary.BigEndian.Uint64(place)),
	}}
	if k.shard >= ledger.Shards {
		return k, errors.New("of a shard that cannot be")
	}
	return k, nil
}
