package main

import (
	"fmt"
	"slices"
	"testing"
)

// The sequences follow Markus Kuhn's stress test for decoders of UTF-8.
var validText = []string{
	"κόσμε", "Hello-µ@ßöäüàá-UTF-8!!", "\x00", "\u0080", "\u0800", "\U00010000", "\u007f", "\u07ff", "\uffff", "\U0010ffff",
	"\ud7ff", "\ue000", "\ufffd", "\ufffe", "\ufdd0", "\U0001fffe", "\U000f0000",
}

var invalidText = []string{
	"\x80", "\xbf", "\x80\xbf", "\xc0 ", "\xe0 ", "\xf0 ", "\xf8 ", "\xfc ", "\xfe", "\xff", "\xfe\xfe\xff\xff",
	"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf", // overlong
	"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80",
	"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xbf\xbf", "\xed\xa0\x80\xed\xb0\x80", // surrogates
	"\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
}

var cutText = []string{"\xc0", "\xdf", "\xe1\xbd", "\xf0\x90\x80", "ok\xce"}

func TestText_MustBeUTF8(t *testing.T) {
	var cases []exchange
	for _, s := range validText {
		cases = append(cases, exchange{name: fmt.Sprintf("%+q", s), send: text(s), want: []reply{echoed(s)}})
		var split []byte
		for i := range len(s) {
			first := byte(opContinuation)
			if i == 0 {
				first = opText
			}
			split = append(split, frame(first, []byte{s[i]})...)
		}
		split = append(split, frame(fin|opContinuation, nil)...)
		cases = append(cases, exchange{name: fmt.Sprintf("%+q, a frame each byte", s), send: split, want: []reply{echoed(s)}})
	}
	for _, s := range slices.Concat(invalidText, cutText) {
		cases = append(cases,
			exchange{name: fmt.Sprintf("%+q", s), send: text(s), code: 1007},
			exchange{name: fmt.Sprintf("%+q compressed", s), send: frame(fin|rsv1|opText, deflate(-1, []byte(s))), code: 1007, needs: compressed},
			exchange{name: fmt.Sprintf("%+q as binary", s), send: bin([]byte(s)), want: []reply{{op: opBinary, data: []byte(s)}}})
	}
	check(t, cases, 1)
}

func TestText_FailsAsItStreams(t *testing.T) {
	var cases []exchange
	for _, s := range invalidText {
		// Neither the message nor the frame is ever finished.
		whole := frame(opText, []byte("κόσμε"+s+"and a good deal more of it"))
		cases = append(cases,
			exchange{name: fmt.Sprintf("%+q in an unfinished message", s), send: whole, code: 1007},
			exchange{name: fmt.Sprintf("%+q in an unfinished frame", s), send: whole[:len(whole)-5], code: 1007})
	}
	check(t, cases, 1)
}
