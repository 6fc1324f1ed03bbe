package boltfile

import "hash/fnv"

// Reseal makes the checksums of both heads match, for pages of 4 KiB.
func Reseal(b []byte) {
	for _, at := range []int{0, 4096} {
		if at+pageHeader+metaSize+8 > len(b) {
			return
		}
		m := b[at+pageHeader:]
		h := fnv.New64a()
		h.Write(m[:metaSize])
		native.PutUint64(m[metaSize:], h.Sum64())
	}
}
