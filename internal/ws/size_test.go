package ws

import (
	"testing"
	"unsafe"
)

func TestReader_TakesAtMost56BytesPerIdleSession(t *testing.T) {
	if n := unsafe.Sizeof(Reader{}); n > 56 {
		t.Errorf("a Reader takes %d bytes, want at most 56", n)
	}
	if n := unsafe.Sizeof(unfinished{}); n != unfinishedSize {
		t.Errorf("an unfinished takes %d bytes, and unfinishedSize says %d", n, unfinishedSize)
	}
}
