package ledger

import (
	"bytes"
	"io"
	"testing"
)

// Blocks returns text in blocks, for tests.
func Blocks(text []byte) []byte {
	var out bytes.Buffer
	b := newBlockWriter(&out)
	b.raw(text)
	if err := b.close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func TestBlocks_KeepTheirOrder(t *testing.T) {
	const whole = blockHead + blockSize + blockTail
	text := bytes.Repeat([]byte("0123456789abcde"), 3*blockSize/15)
	text = text[:2*blockSize]
	blocks := Blocks(text)
	b := newBlockReader(bytes.NewReader(blocks))
	if got := b.take(uint64(len(text))); !bytes.Equal(got, text) || b.close() != nil {
		t.Errorf("%d bytes are read of %d: %v", len(got), len(text), b.err)
	}
	swapped := io.MultiReader(bytes.NewReader(blocks[whole:2*whole]), bytes.NewReader(blocks[:whole]), bytes.NewReader(blocks[2*whole:]))
	b = newBlockReader(swapped)
	if b.take(uint64(len(text))); b.err == nil {
		t.Error("blocks may be swapped")
	}
	b = newBlockReader(bytes.NewReader(blocks))
	b.take(uint64(len(text)) - 1)
	if b.close() == nil {
		t.Error("a byte that nobody read is not missed")
	}
}
