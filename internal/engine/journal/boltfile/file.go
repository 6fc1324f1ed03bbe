package boltfile

import (
	"fmt"
	"io"
)

// File is an open file. Its methods may not be called concurrently.
type File struct {
	r      io.ReaderAt
	size   int64
	meta   meta
	whole  bool
	used   bitmap // pages met so far
	free   bitmap
	faults []Fault
	odd    bool
	spare  [][]byte // pages to read others into
}

// maxFaults bounds how many faults are kept.
const maxFaults = 1000

// Open reads the head of a file of so many bytes. Its error is [ErrNotBolt]
// or one of reading.
func Open(r io.ReaderAt, size int64) (*File, error) {
	m, _, whole, err := metas(r, size)
	if err != nil {
		return nil, err
	}
	// Pages beyond the end of the file exist in no sense; they are found
	// when something points there.
	known := min(m.pages, uint64(size)/uint64(m.pageSize)+1)
	return &File{r: r, size: size, meta: m, whole: whole, used: newBitmap(known), free: newBitmap(known)}, nil
}

// WholeHead reports whether both heads of the file are valid. If not, the
// newest transaction may be missing: the older head counts then.
func (f *File) WholeHead() bool { return f.whole }

// Changed reports whether somebody has written a transaction since Open.
func (f *File) Changed() bool {
	m, _, _, err := metas(f.r, f.size)
	return err != nil || m.tx != f.meta.tx
}

// Faults returns what was found wrong by Walk, at most a thousand places.
func (f *File) Faults() []Fault { return f.faults }

// Odd reports whether Walk found something that is readable and not as the
// library leaves it: to change such a file by the library is not safe.
func (f *File) Odd() bool { return f.odd }

func (f *File) fault(page uint64, format string, args ...any) {
	if len(f.faults) < maxFaults {
		f.faults = append(f.faults, Fault{page, fmt.Sprintf(format, args...)})
	}
}

// Visit is told each item of the buckets that stand in the root. What it is
// given is valid until it returns.
type Visit func(bucket string, key, value []byte)

// Walk visits every item, in order of their keys within a bucket, and checks
// the whole structure on its way: that pages are what they should be, that
// keys are in order, that no page is used twice, used and free, or beyond the
// end. What cannot be read is left out and reported by Faults.
func (f *File) Walk(visit Visit) {
	f.readFreelist()
	f.tree(f.meta.root, bounds{}, 0, func(flags uint32, key, value []byte, page uint64) {
		if flags != bucketFlag {
			f.fault(page, "an item stands outside of all buckets")
			return
		}
		f.bucket(string(key), value, page, visit)
	})
}

// bucketFlag marks an item of a leaf that is a bucket.
const bucketFlag = 1

// bucketHeader is the length of what a bucket's value begins with: the page
// of its tree, or 0 for a page inside the value, and a number of no interest.
const bucketHeader = 16

func (f *File) bucket(name string, value []byte, page uint64, visit Visit) {
	if len(value) < bucketHeader {
		f.fault(page, "bucket %q is cut short", name)
		return
	}
	each := func(flags uint32, key, value []byte, page uint64) {
		if flags != 0 {
			f.fault(page, "an item has unknown flags %#x", flags)
			return
		}
		visit(name, key, value)
	}
	if root := native.Uint64(value); root != 0 {
		f.tree(root, bounds{}, 1, each)
		return
	}
	inner := value[bucketHeader:]
	if len(inner) < pageHeader || native.Uint16(inner[8:]) != leafPage {
		f.fault(page, "bucket %q is no leaf", name)
		return
	}
	f.leaf(inner, page, bounds{}, each)
}

func (f *File) readFreelist() {
	id := f.meta.freelist
	p, ok := f.page(id)
	if !ok {
		return
	}
	if native.Uint16(p[8:]) != freelistPage {
		f.fault(id, "is no list of free pages")
		return
	}
	count, list := uint64(native.Uint16(p[10:])), p[pageHeader:]
	if count == 0xFFFF {
		if len(list) < 8 {
			f.fault(id, "the list of free pages is cut short")
			return
		}
		count, list = native.Uint64(list), list[8:]
	}
	if count > uint64(len(list))/8 {
		f.fault(id, "the list of free pages names %d, more than it has room for", count)
		return
	}
	last := uint64(1)
	for i := range count {
		n := native.Uint64(list[8*i:])
		if n <= last || n >= f.meta.pages || f.used.has(n) || !f.free.set(n) {
			f.fault(id, "the list of free pages is out of order, or has its own page in it")
			return
		}
		last = n
	}
}
