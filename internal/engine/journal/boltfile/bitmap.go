package boltfile

// bitmap is a set of page numbers.
type bitmap []uint64

func newBitmap(n uint64) bitmap { return make(bitmap, n/64+1) }

// set adds n and reports whether it is new and can be.
func (b bitmap) set(n uint64) bool {
	if n/64 >= uint64(len(b)) || b.has(n) {
		return false
	}
	b[n/64] |= 1 << (n % 64)
	return true
}

func (b bitmap) has(n uint64) bool {
	return n/64 < uint64(len(b)) && b[n/64]&(1<<(n%64)) != 0
}
