package ws

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// limits of a server in tests.
var limits = Limits{MaxMessage: 1 << 16}

var testMask = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// client makes a client's frame with any first byte.
func client(first byte, payload string) []byte {
	b := AppendMasked(nil, Text, testMask, []byte(payload))
	b[0] = first
	return b
}

// record feeds the pieces and returns what was emitted, one line each, with
// the error as the last.
func record(r *Reader, lim Limits, pieces ...[]byte) []string {
	var got []string
	for _, p := range pieces {
		err := r.Feed(p, lim, func(m Message) error {
			got = append(got, show(m))
			return nil
		})
		if err != nil {
			return append(got, "error "+err.Error())
		}
	}
	return got
}

func show(m Message) string {
	if m.Op == Close {
		return fmt.Sprintf("close %d %q", m.Code, m.Data)
	}
	if len(m.Data) > 200 {
		return fmt.Sprintf("%v of %d bytes", m.Op, len(m.Data))
	}
	return fmt.Sprintf("%v %q", m.Op, m.Data)
}

// bytewise cuts b into pieces of one byte, each in memory of its own.
func bytewise(b []byte) [][]byte {
	var pieces [][]byte
	for i := range b {
		pieces = append(pieces, bytes.Clone(b[i:i+1]))
	}
	return pieces
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// deflated makes a client's frame with a compressed payload.
func deflated(payload string) []byte {
	return client(0xc1, string(Deflate(nil, []byte(payload))))
}

func TestReader_EmitsMessages(t *testing.T) {
	long := strings.Repeat("x", 300)
	huge := strings.Repeat("y", 1<<16)
	for _, c := range []struct {
		name string
		in   []byte
		lim  Limits
		want []string
	}{
		{"text", client(0x81, "Hello"), limits, []string{`text "Hello"`}},
		{"empty text", client(0x81, ""), limits, []string{`text ""`}},
		{"binary", client(0x82, "\xff\x00"), limits, []string{`binary "\xff\x00"`}},
		{"two frames", join(client(0x81, "a"), client(0x81, "b")), limits, []string{`text "a"`, `text "b"`}},
		{"16-bit length", client(0x81, long), limits, []string{"text of 300 bytes"}},
		{"64-bit length", client(0x82, huge), limits, []string{"binary of 65536 bytes"}},
		{"ping and pong", join(client(0x89, "p"), client(0x8a, "")), limits, []string{`ping "p"`, `pong ""`}},
		{"fragments", join(client(0x01, "a"), client(0x00, "b"), client(0x80, "c")), limits, []string{`text "abc"`}},
		{"empty fragments", join(client(0x01, ""), client(0x00, ""), client(0x80, "")), limits, []string{`text ""`}},
		{"ping between fragments", join(client(0x01, "a"), client(0x89, "p"), client(0x80, "c")), limits, []string{`ping "p"`, `text "ac"`}},
		{"close between fragments", join(client(0x01, "a"), client(0x88, "\x03\xe8"), client(0x80, "c")), limits, []string{`close 1000 ""`}},
		{"rune over two fragments", join(client(0x01, "\xe2\x82"), client(0x80, "\xac")), limits, []string{`text "€"`}},
		{"close", client(0x88, "\x03\xe8bye"), limits, []string{`close 1000 "bye"`}},
		{"close without status", client(0x88, ""), limits, []string{`close 1005 ""`}},
		{"nothing after close", join(client(0x88, ""), client(0x81, "late"), []byte{0xff}), limits, []string{`close 1005 ""`}},
		{"compressed", deflated("Hello Hello"), Limits{MaxMessage: 100, Deflate: true}, []string{`text "Hello Hello"`}},
		{"compressed fragments", join(client(0x41, "\xf2\x48\xcd"), client(0x89, ""), client(0x80, "\xc9\xc9\x07\x00")),
			Limits{MaxMessage: 100, Deflate: true}, []string{`ping ""`, `text "Hello"`}},
		{"from a server", AppendFrame(nil, Text, []byte("Hello")), Limits{MaxMessage: 5, Client: true}, []string{`text "Hello"`}},
		{"as long as the limit", client(0x81, "12345"), Limits{MaxMessage: 5}, []string{`text "12345"`}},
		{"no limit given", join(client(0x81, ""), client(0x89, "p")), Limits{}, []string{`text ""`, `ping "p"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			feedBothWays(t, c.in, c.lim, c.want)
		})
	}
}

// feedBothWays checks what is emitted for the whole input and for its bytes
// one by one, and that nothing is held when all messages were whole.
func feedBothWays(t *testing.T, in []byte, lim Limits, want []string) {
	t.Helper()
	for way, pieces := range map[string][][]byte{"whole": {bytes.Clone(in)}, "bytewise": bytewise(in)} {
		var r Reader
		got := record(&r, lim, pieces...)
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: got %q, want %q", way, got, want)
		}
		if r.Held() != 0 || r.Unfinished() {
			t.Errorf("%s: %d bytes held at the end", way, r.Held())
		}
	}
}
