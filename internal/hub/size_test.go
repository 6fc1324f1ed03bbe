package hub

import (
	"testing"
	"unsafe"
)

// TestChannel_TakesLittle holds what a channel with one subscriber takes: there
// may be a million of them. The runtime gives out 80 and 96 bytes as they are,
// and the next more is 16 bytes more.
func TestChannel_TakesLittle(t *testing.T) {
	if n := unsafe.Sizeof(Channel{}); n > 80 {
		t.Errorf("a Channel takes %d bytes", n)
	}
	if n := unsafe.Sizeof(Feed{}); n > 96 {
		t.Errorf("a Feed takes %d bytes", n)
	}
}
