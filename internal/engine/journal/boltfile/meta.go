package boltfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

const (
	magic       = 0xED0CDAED
	version     = 2
	pageHeader  = 16
	metaSize    = 56 // without the checksum
	minPageSize = 1 << 10
	maxPageSize = 1 << 24
)

// ErrNotBolt says that a file has no valid meta page: it is of another
// format, or its beginning is damaged.
var ErrNotBolt = errors.New("neither of its two heads is valid")

// meta is what a meta page says.
type meta struct {
	pageSize int
	root     uint64 // page of the root bucket
	freelist uint64 // page of the list of free pages
	pages    uint64 // pages in use or free; none is above
	tx       uint64 // transaction that wrote it
}

// parseMeta reads the meta page that begins with b.
func parseMeta(b []byte) (meta, bool) {
	if len(b) < pageHeader+metaSize+8 {
		return meta{}, false
	}
	b = b[pageHeader:]
	h := fnv.New64a()
	h.Write(b[:metaSize])
	if native.Uint32(b) != magic || native.Uint32(b[4:]) != version || native.Uint64(b[metaSize:]) != h.Sum64() {
		return meta{}, false
	}
	m := meta{
		pageSize: int(native.Uint32(b[8:])),
		root:     native.Uint64(b[16:]),
		freelist: native.Uint64(b[32:]),
		pages:    native.Uint64(b[40:]),
		tx:       native.Uint64(b[48:]),
	}
	valid := m.pageSize >= minPageSize && m.pageSize <= maxPageSize && m.pageSize&(m.pageSize-1) == 0
	return m, valid
}

var native = binary.NativeEndian

// metas returns the two metas of a file, the newer first; whole is false when
// only one, returned twice, is valid.
func metas(r io.ReaderAt, size int64) (newer, older meta, whole bool, err error) {
	var buf [pageHeader + metaSize + 8]byte
	read := func(at int64) (meta, bool) {
		if _, err := r.ReadAt(buf[:], at); err != nil {
			return meta{}, false
		}
		return parseMeta(buf[:])
	}
	first, ok := read(0)
	if ok {
		second, ok := read(int64(first.pageSize))
		switch {
		case !ok:
			return first, first, false, nil
		case second.tx > first.tx:
			return second, first, true, nil
		default:
			return first, second, true, nil
		}
	}
	for n := int64(minPageSize); n <= maxPageSize && n < size; n *= 2 {
		if second, ok := read(n); ok && int64(second.pageSize) == n {
			return second, second, false, nil
		}
	}
	return meta{}, meta{}, false, ErrNotBolt
}

// Transaction returns the newest transaction that a file holds, as the
// system sees the file now, and whether both its heads are valid.
func Transaction(r io.ReaderAt, size int64) (tx uint64, whole bool, err error) {
	m, _, whole, err := metas(r, size)
	return m.tx, whole, err
}

// Fault is one place of a file that cannot be read.
type Fault struct {
	Page uint64
	Text string
}

// Error names the page.
func (f Fault) Error() string { return fmt.Sprintf("page %d: %s", f.Page, f.Text) }
