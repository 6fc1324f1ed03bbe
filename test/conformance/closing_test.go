package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestClose_IsAnsweredInOrder(t *testing.T) {
	long := strings.Repeat("*", 123)
	ping := frame(fin|opPing, nil)
	check(t, []exchange{
		{name: "without status", send: frame(fin|opClose, nil), code: 1000},
		{name: "one byte", send: frame(fin|opClose, []byte{3}), code: 1002},
		{name: "without reason", send: closing(1000, ""), code: 1000},
		{name: "with reason", send: closing(1000, "gone fishing"), code: 1000},
		{name: "longest reason", send: closing(1000, long), code: 1000},
		{name: "too long a reason", send: closing(1000, long+"*"), code: 1002},
		{name: "reason that is no text", send: closing(1000, "\xce\xba\xe1\xbd\xb9\xed\xa0\x80"), code: 1007},
		{name: "twice", send: slices.Concat(closing(1000, ""), closing(1000, "")), code: 1000},
		{name: "behind a message", send: slices.Concat(text("hello"), closing(1000, "")), want: []reply{hello}, code: 1000},
		{name: "ping behind it", send: slices.Concat(closing(1000, ""), ping), code: 1000},
		{name: "message behind it", send: slices.Concat(closing(1000, ""), text("hello")), code: 1000},
		{name: "within a message", send: slices.Concat(frame(opText, []byte("fragment")), closing(1000, ""), frame(fin|opContinuation, []byte("rest"))), code: 1000},
		{name: "256 KiB before and behind", send: slices.Concat(bin(make([]byte, 256<<10)), closing(1000, ""), bin(make([]byte, 256<<10))), want: []reply{{op: opBinary, data: make([]byte, 256<<10)}}, code: 1000},
	}, 997)
}

func TestClose_EveryCode(t *testing.T) {
	var cases []exchange
	for _, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		cases = append(cases, exchange{name: fmt.Sprint(code), send: closing(code, "x"), code: int(code)})
	}
	for _, code := range []uint16{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		cases = append(cases,
			exchange{name: fmt.Sprint(code), send: closing(code, ""), code: 1002},
			exchange{name: fmt.Sprint(code, " with reason"), send: closing(code, "reason"), code: 1002})
	}
	check(t, cases, 1)
}
