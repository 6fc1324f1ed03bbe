package boltfile

import (
	"bytes"
	"io"
)

// Flags of pages.
const (
	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
)

// Lengths of what describes an item in a page.
const (
	branchItem = 16
	leafItem   = 16
)

const (
	maxDepth = 64      // of a tree; one of that many levels cannot exist
	maxPage  = 1 << 30 // bytes of a page with what it overflows to
)

// page reads a page with all it overflows to. It can be read once only: a
// second reference to it is a fault.
func (f *File) page(id uint64) ([]byte, bool) {
	if id < 2 || id >= f.meta.pages {
		f.fault(id, "is outside of the file")
		return nil, false
	}
	one := f.meta.pageSize
	p := f.buffer(one)
	if !f.read(p, id) {
		return nil, false
	}
	if native.Uint64(p) != id {
		f.fault(id, "says that it is page %d", native.Uint64(p))
		return nil, false
	}
	over := uint64(native.Uint32(p[12:]))
	if id+over >= f.meta.pages || (over+1)*uint64(one) > maxPage || int64(id+over+1)*int64(one) > f.size {
		f.fault(id, "goes on beyond the end of the file")
		return nil, false
	}
	for n := id; n <= id+over; n++ {
		if !f.used.set(n) {
			f.fault(n, "is used twice")
			return nil, false
		}
		if f.free.has(n) {
			f.fault(n, "is used and free")
			return nil, false
		}
	}
	if over > 0 {
		p = f.buffer((int(over) + 1) * one)
		return p, f.read(p, id)
	}
	return p, true
}

// buffer returns room for a page, that of one which was released if it will
// do.
func (f *File) buffer(n int) []byte {
	if last := len(f.spare) - 1; last >= 0 && n <= cap(f.spare[last]) {
		p := f.spare[last]
		f.spare = f.spare[:last]
		return p[:n]
	}
	return make([]byte, n)
}

// release says that a page is needed no more.
func (f *File) release(p []byte) {
	if cap(p) == f.meta.pageSize {
		f.spare = append(f.spare, p)
	}
}

func (f *File) read(p []byte, id uint64) bool {
	at := int64(id) * int64(f.meta.pageSize)
	if at+int64(len(p)) > f.size {
		f.fault(id, "is beyond the end of the file, which was cut short")
		return false
	}
	if _, err := f.r.ReadAt(p, at); err != nil && err != io.EOF {
		f.fault(id, "%v", err)
		return false
	}
	return true
}

// bounds is where the keys of a subtree lie: from low on, below high; nil is
// no bound. In a tree that the library wrote, the first key is low itself.
type bounds struct{ low, high []byte }

type item func(flags uint32, key, value []byte, page uint64)

// tree walks the tree below a page.
func (f *File) tree(id uint64, in bounds, depth int, each item) {
	if depth > maxDepth {
		f.fault(id, "stands too deep")
		return
	}
	p, ok := f.page(id)
	if !ok {
		return
	}
	defer f.release(p)
	switch flags := native.Uint16(p[8:]); flags {
	case branchPage:
		f.branch(p, id, in, depth, each)
	case leafPage:
		f.leaf(p, id, in, each)
	default:
		f.fault(id, "has the unknown type %#x", flags)
	}
}

func (f *File) branch(p []byte, id uint64, in bounds, depth int, each item) {
	count := int(native.Uint16(p[10:]))
	if pageHeader+count*branchItem > len(p) || count == 0 {
		f.fault(id, "has %d items, which it has no room for", count)
		return
	}
	key := func(i int) []byte {
		at := pageHeader + i*branchItem
		return span(p, uint64(at)+uint64(native.Uint32(p[at:])), uint64(native.Uint32(p[at+4:])))
	}
	for i := range count {
		child := bounds{low: key(i), high: in.high}
		if i+1 < count {
			child.high = key(i + 1)
		}
		if i == 0 {
			f.first(in, child.low)
		}
		if child.low == nil || i+1 < count && child.high == nil || !in.hold(child.low) || !child.hold(child.low) {
			f.fault(id, "item %d is out of order or of bounds", i)
			continue
		}
		f.tree(native.Uint64(p[pageHeader+i*branchItem+8:]), child, depth+1, each)
	}
}

func (f *File) leaf(p []byte, id uint64, in bounds, each item) {
	count := int(native.Uint16(p[10:]))
	if pageHeader+count*leafItem > len(p) {
		f.fault(id, "has %d items, which it has no room for", count)
		return
	}
	var next []byte
	for i := range count {
		at := pageHeader + i*leafItem
		pos, klen, vlen := uint64(native.Uint32(p[at+4:])), uint64(native.Uint32(p[at+8:])), uint64(native.Uint32(p[at+12:]))
		both := span(p, uint64(at)+pos, klen+vlen)
		if both == nil || klen == 0 || pos < uint64((count-i)*leafItem) {
			f.fault(id, "item %d lies outside of it", i)
			continue
		}
		key := both[:klen]
		if i == 0 {
			f.first(in, key)
		}
		if !in.hold(key) {
			f.fault(id, "item %d is out of order", i)
			continue
		}
		each(native.Uint32(p[at:]), key, both[klen:], id)
		next = append(append(next[:0], key...), 0) // the next one is higher
		in.low = next
	}
}

// first looks at the first key of a page.
func (f *File) first(in bounds, key []byte) {
	if in.low != nil && !bytes.Equal(in.low, key) {
		f.odd = true
	}
}

// hold reports whether key lies within.
func (b bounds) hold(key []byte) bool {
	return bytes.Compare(key, b.low) >= 0 && (b.high == nil || bytes.Compare(key, b.high) < 0)
}

// span returns the n bytes of p from at on, nil when they are not all in it.
func span(p []byte, at, n uint64) []byte {
	if at > uint64(len(p)) || n > uint64(len(p))-at {
		return nil
	}
	return p[at : at+n : at+n]
}
