package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

// text and bin are whole messages.
func text(s string) []byte { return frame(fin|opText, []byte(s)) }
func bin(p []byte) []byte  { return frame(fin|opBinary, p) }

func echoed(s string) reply { return reply{op: opText, data: []byte(s)} }
func pong(s string) reply   { return reply{op: opPong, data: []byte(s)} }

var hello = echoed("hello")

// closing is a close frame.
func closing(code uint16, reason string) []byte {
	return frame(fin|opClose, append(binary.BigEndian.AppendUint16(nil, code), reason...))
}

func TestFraming_EveryLengthComesBack(t *testing.T) {
	var cases []exchange
	for _, n := range []int{0, 1, 125, 126, 127, 128, 4096, 65535, 65536, 70000} {
		p := bytes.Repeat([]byte("*"), n)
		cases = append(cases,
			exchange{name: fmt.Sprintf("text of %d", n), send: text(string(p)), want: []reply{echoed(string(p))}},
			exchange{name: fmt.Sprintf("binary of %d", n), send: bin(p), want: []reply{{op: opBinary, data: p}}})
	}
	check(t, cases, 997)
}

func TestFraming_LengthsMustBeMinimalAndReal(t *testing.T) {
	check(t, []exchange{
		{name: "16 bits for 5 bytes", send: []byte{fin | opText, 0x80 | 126, 0, 5, 0, 0, 0, 0, 'h', 'e', 'l', 'l', 'o'}, code: 1002},
		{name: "64 bits for 5 bytes", send: []byte{fin | opText, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0}, code: 1002},
		{name: "top bit", send: []byte{fin | opText, 0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, code: 1002},
		{name: "2^63-1", send: []byte{fin | opText, 0x80 | 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, code: 1009},
		{name: "unmasked", send: []byte{fin | opText, 5, 'h', 'e', 'l', 'l', 'o'}, code: 1002},
	}, 1)
}

func TestPings_AreAnswered(t *testing.T) {
	full := string(bytes.Repeat([]byte{0xfe}, 125))
	ping := func(s string) []byte { return frame(fin|opPing, []byte(s)) }
	var many []byte
	var answers []reply
	for i := range 10 {
		many = append(many, ping(fmt.Sprint("payload-", i))...)
		answers = append(answers, pong(fmt.Sprint("payload-", i)))
	}
	check(t, []exchange{
		{name: "empty", send: ping(""), want: []reply{pong("")}},
		{name: "text", send: ping("Hello, world!"), want: []reply{pong("Hello, world!")}},
		{name: "binary", send: ping("\x00\xff\xfe\xfd\xfc\xfb\x00\xff"), want: []reply{pong("\x00\xff\xfe\xfd\xfc\xfb\x00\xff")}},
		{name: "125 bytes", send: ping(full), want: []reply{pong(full)}},
		{name: "126 bytes", send: ping(full + "x"), code: 1002},
		{name: "ten", send: many, want: answers},
		{name: "unsolicited pong", send: slices.Concat(frame(fin|opPong, nil), text("hello")), want: []reply{hello}},
		{name: "unsolicited pong with payload", send: slices.Concat(frame(fin|opPong, []byte("x")), ping("y")), want: []reply{pong("y")}},
	}, 1)
}

func TestReservedBits_AreRefused(t *testing.T) {
	var cases []exchange
	for bits := byte(rsv3); bits <= rsv1|rsv2|rsv3; bits += rsv3 {
		for _, op := range []byte{opText, opBinary, opPing, opClose} {
			x := exchange{name: fmt.Sprintf("bits %x, opcode %d", bits>>4, op), send: slices.Concat(text("hello"), frame(fin|bits|op, nil)), want: []reply{hello}, code: 1002}
			if bits == rsv1 && op < opClose {
				x.needs = plain // it means something then
			}
			cases = append(cases, x)
		}
	}
	check(t, cases, 1)
}

func TestReservedOpcodes_AreRefused(t *testing.T) {
	var cases []exchange
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		cases = append(cases,
			exchange{name: fmt.Sprintf("opcode %d", op), send: frame(fin|op, nil), code: 1002},
			exchange{name: fmt.Sprintf("opcode %d with payload", op), send: slices.Concat(text("hello"), frame(fin|op, []byte("x")), frame(fin|opPing, nil)), want: []reply{hello}, code: 1002})
	}
	check(t, cases, 1)
}

func TestFragments_MakeOneMessage(t *testing.T) {
	first, middle, last := frame(opText, []byte("frag1")), frame(opContinuation, []byte("frag2")), frame(fin|opContinuation, []byte("frag3"))
	ping := frame(fin|opPing, []byte("p"))
	check(t, []exchange{
		{name: "two", send: slices.Concat(first, last), want: []reply{echoed("frag1frag3")}},
		{name: "three with pings between", send: slices.Concat(first, ping, middle, ping, last), want: []reply{pong("p"), pong("p"), echoed("frag1frag2frag3")}},
		{name: "all empty", send: slices.Concat(frame(opText, nil), frame(opContinuation, nil), frame(fin|opContinuation, nil)), want: []reply{echoed("")}},
		{name: "binary", send: slices.Concat(frame(opBinary, []byte{1}), frame(fin|opContinuation, []byte{2})), want: []reply{{op: opBinary, data: []byte{1, 2}}}},
		{name: "fragmented ping", send: slices.Concat(frame(opPing, []byte("a")), frame(fin|opContinuation, []byte("b"))), code: 1002},
		{name: "fragmented pong", send: slices.Concat(frame(opPong, []byte("a")), frame(fin|opContinuation, []byte("b"))), code: 1002},
		{name: "fragmented close", send: frame(opClose, nil), code: 1002},
		{name: "continuation of nothing", send: last, code: 1002},
		{name: "unfinished continuation of nothing", send: slices.Concat(middle, text("hello")), code: 1002},
		{name: "continuation behind the end", send: slices.Concat(first, last, last), want: []reply{echoed("frag1frag3")}, code: 1002},
		{name: "a message within a message", send: slices.Concat(first, text("hello")), code: 1002},
		{name: "ping, then a message within a message", send: slices.Concat(first, ping, first), want: []reply{pong("p")}, code: 1002},
		{name: "two messages", send: slices.Concat(first, last, first, middle, last), want: []reply{echoed("frag1frag3"), echoed("frag1frag2frag3")}},
	}, 1, 3)
}
