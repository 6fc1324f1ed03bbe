package ws

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// masked is a client's header: the bytes given, with the mask bit as they say,
// and a key of zeros.
func masked(head ...byte) []byte { return append(head, 0, 0, 0, 0) }

func TestReader_RefusesWhatBreaksTheProtocol(t *testing.T) {
	small := Limits{MaxMessage: 5}
	deflate := Limits{MaxMessage: 100, Deflate: true}
	for _, c := range []struct {
		name string
		in   []byte
		lim  Limits
		want string // the code and the beginning of the reason
	}{
		{"RSV1 not agreed on", []byte{0xc1}, limits, "1002 reserved bits 100 set on a text frame"},
		{"RSV2", []byte{0xa1}, deflate, "1002 reserved bits 010"},
		{"RSV3", []byte{0x91}, deflate, "1002 reserved bits 001"},
		{"RSV1 and RSV2", []byte{0xe1}, deflate, "1002 reserved bits 110"},
		{"RSV1 on a continuation", join(client(0x41, "a"), []byte{0xc0}), deflate, "1002 reserved bits 100 set on a continuation"},
		{"RSV1 on a ping", []byte{0xc9}, deflate, "1002 reserved bits 100 set on a ping"},
		{"RSV1 on a close", []byte{0xc8}, deflate, "1002 reserved bits 100 set on a close"},
		{"RSV1 on a reserved opcode", []byte{0xc3}, deflate, "1002 reserved bits 100"},
		{"reserved data opcode 3", []byte{0x83}, limits, "1002 reserved opcode 3"},
		{"reserved data opcode 7", []byte{0x87}, limits, "1002 reserved opcode 7"},
		{"reserved control opcode 11", []byte{0x8b}, limits, "1002 reserved opcode 11"},
		{"reserved control opcode 15", []byte{0x8f}, limits, "1002 reserved opcode 15"},
		{"fragmented ping", []byte{0x09}, limits, "1002 fragmented ping"},
		{"fragmented pong", []byte{0x0a}, limits, "1002 fragmented pong"},
		{"fragmented close", []byte{0x08}, limits, "1002 fragmented close"},
		{"ping of 126 bytes", []byte{0x89, 0x80 | 126}, limits, "1002 ping frame over 125"},
		{"close with a 64-bit length", []byte{0x88, 0x80 | 127}, limits, "1002 close frame over 125"},
		{"unmasked from a client", []byte{0x81, 0x05}, limits, "1002 unmasked"},
		{"unmasked ping from a client", []byte{0x89, 0x00}, limits, "1002 unmasked"},
		{"masked from a server", []byte{0x81, 0x85}, Limits{MaxMessage: 5, Client: true}, "1002 masked"},
		{"continuation of nothing", []byte{0x80, 0x80}, limits, "1002 continuation frame, but no message"},
		{"text inside a message", join(client(0x01, "a"), []byte{0x81, 0x80}), limits, "1002 text frame inside"},
		{"binary inside an empty fragment's message", join(client(0x02, ""), []byte{0x02, 0x80}), limits, "1002 binary frame inside"},
		{"compressed text inside a message", join(client(0x01, "a"), []byte{0xc1, 0x80}), deflate, "1002 text frame inside"},
		{"16-bit length of 125", []byte{0x81, 0xfe, 0, 125}, limits, "1002 length 125 in a longer form"},
		{"64-bit length of 0", []byte{0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 0}, limits, "1002 length 0 in a longer form"},
		{"64-bit length of 65535", []byte{0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, limits, "1002 length 65535 in a longer form"},
		{"top bit alone", []byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}, limits, "1002 frame length with the top bit"},
		{"all bits", []byte{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, limits, "1002 frame length with the top bit"},
		{"longest legal length", []byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, limits, "1009 message over 65536"},
		{"one over the limit", []byte{0x81, 0x86}, small, "1009 message over 5"},
		{"one over the limit in fragments", join(client(0x01, "abc"), []byte{0x80, 0x83}), small, "1009 message over 5"},
		{"length that wraps with what is held", join(client(0x01, "abc"), []byte{0x80, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), small, "1009 message over 5"},
		{"anything without a limit", []byte{0x82, 0x81}, Limits{}, "1009 message over 0"},
		{"a limit below zero", []byte{0x82, 0x81}, Limits{MaxMessage: -1 << 62}, "1009 message over 0"},
		{"compressed over its limit", []byte{0xc1, 0x80 | 126, 0, 177}, deflate, "1009 message over 100"},
		{"compressed fragments over their limit", join(client(0x41, strings.Repeat("a", 70)), []byte{0x80, 0x80 | 107}), deflate, "1009 message over 100"},
		{"bad UTF-8", client(0x81, "a\xffb"), limits, "1007 text message is not UTF-8"},
		{"surrogate", client(0x81, "\xed\xa0\x80"), limits, "1007 text message is not UTF-8"},
		{"overlong", client(0x81, "\xc0\xaf"), limits, "1007 text message is not UTF-8"},
		{"rune cut off at the end", client(0x81, "a\xe2\x82"), limits, "1007 text message is not UTF-8"},
		{"rune cut off at the end of fragments", join(client(0x01, "a\xe2"), client(0x80, "\x82")), limits, "1007 text message is not UTF-8"},
		{"close of one byte", client(0x88, "\x03"), limits, "1002 close frame of one byte"},
		{"close reason not UTF-8", client(0x88, "\x03\xe8\xff"), limits, "1007 close reason"},
		{"compressed bad UTF-8", deflated("a\xffb"), deflate, "1007 text message is not UTF-8"},
		{"compressed rune cut off", deflated("a\xe2\x82"), deflate, "1007 text message is not UTF-8"},
		{"compressed garbage", client(0xc2, "\xff\xff\xff"), deflate, "1007 compressed message does not inflate"},
		{"bomb", deflated(strings.Repeat("a", 101)), deflate, "1009 message over 100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for way, pieces := range map[string][][]byte{"whole": {bytes.Clone(c.in)}, "bytewise": bytewise(c.in)} {
				var r Reader
				got := record(&r, c.lim, pieces...)
				if len(got) != 1 || !strings.HasPrefix(got[0], "error "+c.want) {
					t.Errorf("%s: got %q, want error %s", way, got, c.want)
				}
				if r.Held() != 0 || r.Unfinished() {
					t.Errorf("%s: %d bytes held after the fault", way, r.Held())
				}
				if again := record(&r, c.lim, client(0x81, "x")); strings.Join(again, "") != strings.Join(got, "") {
					t.Errorf("%s: fed on after the fault it says %q", way, again)
				}
			}
		})
	}
}

func TestReader_RefusesCloseCodesThatMayNotBeSent(t *testing.T) {
	good := map[uint16]bool{}
	for _, span := range [][2]uint16{{1000, 1003}, {1007, 1014}, {3000, 4999}} {
		for code := span[0]; code <= span[1]; code++ {
			good[code] = true
		}
	}
	for code := range uint16(0xffff) {
		var r Reader
		got := record(&r, limits, client(0x88, string([]byte{byte(code >> 8), byte(code)})))
		if ok := !strings.HasPrefix(got[0], "error 1002 close frame with status"); ok != good[code] {
			t.Errorf("status %d: %q", code, got)
		}
	}
}

func TestReader_KnowsThatAMessageHasEnded(t *testing.T) {
	var r Reader
	record(&r, limits, client(0x01, "a"), client(0x80, "b"))
	if got := record(&r, limits, client(0x80, "c")); len(got) != 1 || !strings.HasPrefix(got[0], "error 1002 continuation frame, but no message") {
		t.Errorf("got %q", got)
	}
}

// The check must come with the byte that shows the fault, and not only when
// the frame is whole.
func TestReader_FailsAtTheFirstBadByteOfText(t *testing.T) {
	for _, c := range []struct{ name, good, bad string }{
		{"beyond U+10FFFF", "κόσμε\xf4", "\x90"},
		{"overlong of three", "κόσμε\xe0", "\x80"},
		{"surrogate", "κόσμε\xed", "\xa0"},
		{"never a byte of UTF-8", "κόσμε", "\xfe"},
		{"continuation alone", "κόσμε", "\x80"},
		{"rune broken off", "κόσμε\xe2\x82", "a"},
	} {
		for _, first := range []byte{0x81, 0x01} {
			frame := client(first, c.good+c.bad+"edited")
			bad := 6 + len(c.good)
			var r Reader
			if got := record(&r, limits, frame[:bad]); got != nil {
				t.Errorf("%s: before the bad byte: %q", c.name, got)
			}
			if got := record(&r, limits, frame[bad:bad+1]); len(got) != 1 || !strings.HasPrefix(got[0], "error 1007") {
				t.Errorf("%s: at the bad byte: %q", c.name, got)
			}
		}
	}
}

func TestReader_StopsWithTheErrorOfEmit(t *testing.T) {
	enough := errors.New("enough")
	for name, in := range map[string][]byte{
		"text":       client(0x81, "a"),
		"fragmented": join(client(0x01, "a"), client(0x80, "b")),
		"close":      client(0x88, ""),
	} {
		var r Reader
		calls := 0
		emit := func(Message) error { calls++; return enough }
		for range 2 {
			if err := r.Feed(join(in, client(0x81, "more")), limits, emit); err != enough {
				t.Errorf("%s: Feed returns %v, want emit's error", name, err)
			}
		}
		if calls != 1 {
			t.Errorf("%s: emit is called %d times, want once", name, calls)
		}
	}
}

func TestCloseError_HasAReasonThatFitsAClose(t *testing.T) {
	for first := range 256 {
		for second := range 256 {
			var r Reader
			err := r.Feed([]byte{byte(first), byte(second), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, limits, func(Message) error { return nil })
			if fault, ok := errors.AsType[*CloseError](err); ok && len(fault.Reason) > maxReason {
				t.Fatalf("%d bytes of reason: %s", len(fault.Reason), fault.Reason)
			}
		}
	}
}
