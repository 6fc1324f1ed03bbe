package main

import (
	"bytes"
	"fmt"
	"testing"
)

// fragmented returns a message in frames of so many bytes.
func fragmented(first byte, p []byte, size int) []byte {
	var b []byte
	for len(p) > size {
		b = append(b, frame(first, p[:size])...)
		p, first = p[size:], opContinuation
	}
	return append(b, frame(fin|first, p)...)
}

func TestLimits_LongMessagesComeBack(t *testing.T) {
	var cases []exchange
	for _, n := range []int{256 << 10, 1 << 20, maxMessage} {
		p := bytes.Repeat([]byte("*"), n)
		cases = append(cases, exchange{name: fmt.Sprintf("binary of %d KiB", n>>10), send: bin(p), want: []reply{{op: opBinary, data: p}}})
	}
	p := bytes.Repeat([]byte("*"), 1<<20)
	cases = append(cases, exchange{name: "text of 1 MiB", send: frame(fin|opText, p), want: []reply{{op: opText, data: p}}})
	for _, size := range []int{64, 1 << 10, 64 << 10} {
		cases = append(cases, exchange{name: fmt.Sprintf("fragments of %d", size), send: fragmented(opText, p, size), want: []reply{{op: opText, data: p}}})
	}
	check(t, cases)
}

func TestLimits_OneByteTooMany(t *testing.T) {
	p := make([]byte, maxMessage+1)
	check(t, []exchange{
		{name: "in one frame", send: bin(p)[:14], code: 1009},
		{name: "in fragments", send: fragmented(opBinary, p, 1<<20), code: 1009},
		{name: "inflated", send: frame(fin|rsv1|opBinary, deflate(9, p)), code: 1009, needs: compressed},
	})
}

func TestLimits_ManySmallMessages(t *testing.T) {
	var send []byte
	var want []reply
	for i := range 1000 {
		s := fmt.Sprintf("%0*d", i%64+4, i)
		send = append(send, text(s)...)
		want = append(want, echoed(s))
	}
	check(t, []exchange{{name: "1000", send: send, want: want}}, 1, 61)
}
