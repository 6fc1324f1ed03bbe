package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
)

// MinKey is the least length of an API key, in bytes.
const MinKey = 16

// MaxKey is the greatest length of an API key, in bytes.
const MaxKey = 8 << 10

// Keys is a set of API keys. The zero value is the empty set. It is fixed
// once made and safe for concurrent use.
type Keys struct {
	sums [][sha256.Size]byte
}

// NewKeys returns the set of the given keys. Each must pass CheckKey; the
// error names one that does not by its place, never by its text.
func NewKeys(keys ...string) (Keys, error) {
	var k Keys
	for i, key := range keys {
		if err := CheckKey(key); err != nil {
			return Keys{}, fmt.Errorf("API key #%d %w", i+1, err)
		}
		k.sums = append(k.sums, sha256.Sum256([]byte(key)))
	}
	return k, nil
}

// CheckKey returns nil when key may serve as an API key: MinKey to MaxKey
// bytes of printable ASCII without spaces, which every client can put into a
// header. The error reads on from what names the key and does not hold it.
func CheckKey(key string) error {
	switch {
	case len(key) < MinKey:
		return fmt.Errorf("has %d bytes, %d at least; make one with: openssl rand -hex 32", len(key), MinKey)
	case len(key) > MaxKey:
		return fmt.Errorf("has %d bytes, %d at most", len(key), MaxKey)
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return fmt.Errorf("holds something other than printable ASCII at byte %d", i+1)
		}
	}
	return nil
}

// Len returns how many keys there are.
func (k Keys) Len() int { return len(k.sums) }

// Match reports whether key is one of the set. Every key of the set is
// compared, in constant time.
func (k Keys) Match(key string) bool {
	sum := sha256.Sum256([]byte(key))
	found := 0
	for i := range k.sums {
		found |= subtle.ConstantTimeCompare(sum[:], k.sums[i][:])
	}
	return found == 1
}
