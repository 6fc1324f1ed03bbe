package wire

import (
	"crypto/rand"
	"errors"
	"strconv"
	"strings"
)

// ID says where a message stands in its channel. On the wire it is
// "<epoch>-<seq>"; clients treat it as opaque.
//
// Seqs rise within a channel and need not be contiguous. Ids of different
// epochs do not compare.
type ID struct {
	Epoch string
	Seq   uint64
}

// maxEpoch bounds the epoch part of an id that a client sends.
const maxEpoch = 32

var errID = errors.New(`an id looks like "k3v9qd2x-41", as in the last message received`)

// NewEpoch returns a random epoch: 10 characters, 50 bits.
func NewEpoch() string { return strings.ToLower(rand.Text()[:10]) }

// String returns the wire form.
func (id ID) String() string { return string(id.Append(nil)) }

// Append appends the wire form to dst.
func (id ID) Append(dst []byte) []byte {
	dst = append(dst, id.Epoch...)
	dst = append(dst, '-')
	return strconv.AppendUint(dst, id.Seq, 10)
}

// ParseID reads the wire form.
func ParseID(s string) (ID, error) {
	epoch, digits, ok := strings.Cut(s, "-")
	if !ok || epoch == "" || len(epoch) > maxEpoch || len(digits) > 1 && digits[0] == '0' {
		return ID{}, errID
	}
	for i := range len(epoch) {
		if c := epoch[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return ID{}, errID
		}
	}
	seq, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return ID{}, errID
	}
	return ID{Epoch: epoch, Seq: seq}, nil
}
