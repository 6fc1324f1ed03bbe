package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"holdfast.dev/holdfast/internal/engine/ledger"
)

// The buckets of the file.
var (
	bucketHead     = []byte("head")
	bucketMessages = []byte("messages")
	bucketKeys     = []byte("keys")
	bucketNotes    = []byte("notes")
	bucketState    = []byte("state")
	bucketBallast  = []byte("ballast")
)

// Names in the head bucket.
const (
	headFormat = "format"
	headEpoch  = "epoch"
	headShards = "shards"
)

// format says what the file is; another version has another name.
const format = "holdfast journal 1"

// condition is how far a shard's counter may have gone beyond what the file
// has.
type condition byte

const (
	// resting: no seq above last was given out.
	resting condition = iota
	// ahead: seqs up to ceiling may have been given out, and shown.
	ahead
	// covered: seqs above last may have been given out, and none was shown.
	covered
)

// shardHead is what the file says of a shard.
type shardHead struct {
	condition condition
	ceiling   uint64 // no seq above it was given out
	last      uint64 // every message up to it is in the file or gone
	below     uint64 // of channels without records, messages up to it may be gone
	count     uint64 // records of its channels in the file
	sum       uint64 // sum of their positions
}

// start returns the lowest seq that was surely never shown.
func (h *shardHead) start() uint64 {
	if h.condition == ahead {
		return h.ceiling + 1
	}
	return h.last + 1
}

// heads are what is written with every transaction.
type heads struct {
	next   uint64 // position of the next record
	shards [ledger.Shards]shardHead
}

const shardHeadSize = 1 + 5*8

func (h *heads) encode() []byte {
	b := make([]byte, 0, 8+ledger.Shards*shardHeadSize+4)
	b = binary.BigEndian.AppendUint64(b, h.next)
	for i := range h.shards {
		s := &h.shards[i]
		b = append(b, byte(s.condition))
		for _, n := range [...]uint64{s.ceiling, s.last, s.below, s.count, s.sum} {
			b = binary.BigEndian.AppendUint64(b, n)
		}
	}
	return seal(b, headShards)
}

func (h *heads) decode(value []byte) error {
	b, err := unseal(value, headShards)
	if err != nil {
		return err
	}
	if len(b) != 8+ledger.Shards*shardHeadSize {
		return fmt.Errorf("%d bytes long", len(b))
	}
	h.next = binary.BigEndian.Uint64(b)
	b = b[8:]
	for i := range h.shards {
		s := &h.shards[i]
		s.condition = condition(b[0])
		for j, n := range [...]*uint64{&s.ceiling, &s.last, &s.below, &s.count, &s.sum} {
			*n = binary.BigEndian.Uint64(b[1+8*j:])
		}
		if s.condition > covered || s.ceiling > maxSeq || s.last > maxSeq {
			return fmt.Errorf("what it says of shard %d cannot be", i)
		}
		b = b[shardHeadSize:]
	}
	return nil
}

// maxSeq is higher than any counter can get.
const maxSeq = 1 << 62

// seal appends to text its checksum, which goes for the name it is kept
// under too.
func seal(text []byte, name string) []byte {
	sum := crc32.Update(crc32.Checksum([]byte(name), castagnoli), castagnoli, text)
	return binary.BigEndian.AppendUint32(text, sum)
}

// unseal returns what was sealed; it aliases value.
func unseal(value []byte, name string) ([]byte, error) {
	n := len(value) - 4
	if n < 0 {
		return nil, errors.New("cut short")
	}
	if binary.BigEndian.Uint32(value[n:]) != crc32.Update(crc32.Checksum([]byte(name), castagnoli), castagnoli, value[:n]) {
		return nil, errors.New("the checksum does not match")
	}
	return value[:n], nil
}
