package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A block stands in the stream as its length (4), its bytes, and the checksum
// (4) of its number, its length and its bytes, all big endian. The last one
// has no bytes. Blocks cut the stream wherever they are full.
const (
	blockSize = 128 << 10
	blockHead = 4
	blockTail = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// blockSum is the checksum of block number n, of its length and its bytes.
func blockSum(n uint32, lengthAndBytes []byte) uint32 {
	var number [4]byte
	binary.BigEndian.PutUint32(number[:], n)
	return crc32.Update(crc32.Checksum(number[:], castagnoli), castagnoli, lengthAndBytes)
}

// blockWriter cuts what is put into it into blocks. Its first error stays.
type blockWriter struct {
	w   io.Writer
	buf []byte
	n   uint32
	err error
}

func newBlockWriter(w io.Writer) *blockWriter {
	return &blockWriter{w: w, buf: make([]byte, blockHead, blockHead+blockSize+blockTail)}
}

// room makes sure that n bytes can be appended to buf. n must be small.
func (b *blockWriter) room(n int) {
	if len(b.buf)+n > blockHead+blockSize {
		b.flush()
	}
}

func (b *blockWriter) flush() {
	binary.BigEndian.PutUint32(b.buf, uint32(len(b.buf)-blockHead))
	b.buf = binary.BigEndian.AppendUint32(b.buf, blockSum(b.n, b.buf))
	b.n++
	if b.err == nil {
		_, b.err = b.w.Write(b.buf)
	}
	b.buf = b.buf[:blockHead]
}

// close writes what is left and the last block.
func (b *blockWriter) close() error {
	if len(b.buf) > blockHead {
		b.flush()
	}
	b.flush()
	return b.err
}

func (b *blockWriter) uint(n uint64) {
	b.room(binary.MaxVarintLen64)
	b.buf = binary.AppendUvarint(b.buf, n)
}

func (b *blockWriter) fixed(n uint64) {
	b.room(8)
	b.buf = binary.BigEndian.AppendUint64(b.buf, n)
}

func (b *blockWriter) bytes(p []byte) {
	b.uint(uint64(len(p)))
	b.raw(p)
}

func (b *blockWriter) raw(p []byte) {
	for len(p) > 0 {
		b.room(1)
		n := min(len(p), blockHead+blockSize-len(b.buf))
		b.buf = append(b.buf, p[:n]...)
		p = p[n:]
	}
}

var errCut = errors.New("it ends too early")

// blockReader reads what a blockWriter wrote. Its first error stays, and
// everything read from then on is zero.
type blockReader struct {
	r    io.Reader
	buf  []byte // of the block
	rest []byte // of buf, not read yet
	wide []byte // for what lies in two blocks
	n    uint32
	last bool
	err  error
}

func newBlockReader(r io.Reader) *blockReader {
	return &blockReader{r: r, buf: make([]byte, blockHead+blockSize+blockTail)}
}

// next reads a block.
func (b *blockReader) next() bool {
	if b.err != nil || b.last {
		b.fail(errCut)
		return false
	}
	if _, err := io.ReadFull(b.r, b.buf[:blockHead]); err != nil {
		b.fail(cut(err))
		return false
	}
	n := binary.BigEndian.Uint32(b.buf)
	if n > blockSize {
		b.fail(fmt.Errorf("a block of %d bytes, %d at most", n, blockSize))
		return false
	}
	end := blockHead + int(n)
	if _, err := io.ReadFull(b.r, b.buf[blockHead:end+blockTail]); err != nil {
		b.fail(cut(err))
		return false
	}
	if binary.BigEndian.Uint32(b.buf[end:]) != blockSum(b.n, b.buf[:end]) {
		b.fail(fmt.Errorf("the checksum of block %d does not match", b.n))
		return false
	}
	b.n++
	b.rest, b.last = b.buf[blockHead:end], n == 0
	return !b.last
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}

func (b *blockReader) fail(err error) {
	if b.err == nil {
		b.err = err
	}
	b.rest = nil
}

// close expects that all was read and reads the last block.
func (b *blockReader) close() error {
	if len(b.rest) > 0 || b.err == nil && !b.last && b.next() {
		b.fail(errors.New("there is more than there should be"))
	}
	return b.err
}

// take returns n bytes, valid until the next call. What it allocates is never
// more than twice what came.
func (b *blockReader) take(n uint64) []byte {
	if n <= uint64(len(b.rest)) {
		p := b.rest[:n]
		b.rest = b.rest[n:]
		return p
	}
	b.wide = append(b.wide[:0], b.rest...)
	b.rest = nil
	for uint64(len(b.wide)) < n {
		if !b.next() {
			return nil
		}
		k := min(n-uint64(len(b.wide)), uint64(len(b.rest)))
		b.wide = append(b.wide, b.rest[:k]...)
		b.rest = b.rest[k:]
	}
	return b.wide
}

func (b *blockReader) uint() uint64 {
	if n, k := binary.Uvarint(b.rest); k > 0 {
		b.rest = b.rest[k:]
		return n
	}
	n := uint64(0)
	for shift := 0; shift < 64; shift += 7 {
		c := b.byte()
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if shift == 63 && c > 1 {
				break
			}
			return n
		}
	}
	b.fail(errors.New("a number is too long"))
	return 0
}

func (b *blockReader) fixed() uint64 {
	if p := b.take(8); p != nil {
		return binary.BigEndian.Uint64(p)
	}
	return 0
}

func (b *blockReader) byte() byte {
	if p := b.take(1); p != nil {
		return p[0]
	}
	return 0
}

// bytes returns a field of up to most bytes, valid until the next call.
func (b *blockReader) bytes(most uint64) []byte {
	n := b.uint()
	if n > most {
		b.fail(fmt.Errorf("a field of %d bytes, %d at most", n, most))
		return nil
	}
	return b.take(n)
}
