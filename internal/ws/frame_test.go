package ws

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// The examples of RFC 6455, section 5.7, and RFC 7692, section 7.2.3.
func TestReader_ReadsTheExamplesOfTheStandards(t *testing.T) {
	server := Limits{MaxMessage: 1 << 16, Deflate: true}
	fromServer := Limits{MaxMessage: 1 << 16, Deflate: true, Client: true}
	for _, c := range []struct {
		name, in string
		lim      Limits
		want     string
	}{
		{"unmasked text", "81 05 48 65 6c 6c 6f", fromServer, `text "Hello"`},
		{"masked text", "81 85 37 fa 21 3d 7f 9f 4d 51 58", server, `text "Hello"`},
		{"fragmented text", "01 03 48 65 6c 80 02 6c 6f", fromServer, `text "Hello"`},
		{"ping", "89 05 48 65 6c 6c 6f", fromServer, `ping "Hello"`},
		{"masked pong", "8a 85 37 fa 21 3d 7f 9f 4d 51 58", server, `pong "Hello"`},
		{"256 bytes", "82 7e 01 00" + strings.Repeat("00", 256), fromServer, "binary of 256 bytes"},
		{"64 KiB", "82 7f 00 00 00 00 00 01 00 00" + strings.Repeat("00", 1<<16), fromServer, "binary of 65536 bytes"},
		{"compressed", "c1 07 f2 48 cd c9 c9 07 00", fromServer, `text "Hello"`},
		{"compressed in fragments", "41 03 f2 48 cd 80 04 c9 c9 07 00", fromServer, `text "Hello"`},
		{"block without compression", "c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00", fromServer, `text "Hello"`},
		{"final block", "c1 08 f3 48 cd c9 c9 07 00 00", fromServer, `text "Hello"`},
		{"two blocks", "c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00", fromServer, `text "Hello"`},
		{"compressed empty message", "c1 01 00", fromServer, `text ""`},
		{"context of the message before", "c1 05 f2 00 11 00 00", fromServer, "error 1007 compressed message does not inflate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := fromHex(t, c.in)
			for way, pieces := range map[string][][]byte{"bytewise": bytewise(in), "whole": {in}} {
				var r Reader
				if got := strings.Join(record(&r, c.lim, pieces...), "\n"); got != c.want {
					t.Errorf("%s: got %s, want %s", way, got, c.want)
				}
			}
		})
	}
}

func fromHex(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAppend_MakesTheseBytes(t *testing.T) {
	hello := []byte("Hello")
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"text", AppendFrame(nil, Text, hello), "81 05 48 65 6c 6c 6f"},
		{"behind what is there", AppendFrame([]byte{0xaa}, Ping, nil), "aa 89 00"},
		{"masked", AppendMasked(nil, Text, testMask, hello), "81 85 37 fa 21 3d 7f 9f 4d 51 58"},
		{"masked behind what is there", AppendMasked([]byte{0xaa}, Pong, testMask, hello), "aa 8a 85 37 fa 21 3d 7f 9f 4d 51 58"},
		{"125", AppendHeader(nil, Binary, false, 125), "82 7d"},
		{"126", AppendHeader(nil, Binary, false, 126), "82 7e 00 7e"},
		{"65535", AppendHeader(nil, Binary, false, 65535), "82 7e ff ff"},
		{"65536", AppendHeader(nil, Binary, false, 65536), "82 7f 00 00 00 00 00 01 00 00"},
		{"compressed", AppendHeader(nil, Text, true, 7), "c1 07"},
		{"close", AppendClose(nil, 1012, "bye"), "88 05 03 f4 62 79 65"},
		{"close without reason", AppendClose(nil, 4009, ""), "88 02 0f a9"},
		{"close without status", AppendClose(nil, 1005, "lost"), "88 00"},
		{"close with a status that may not be sent", AppendClose(nil, 1006, "lost"), "88 00"},
		{"close with a reason that is not UTF-8", AppendClose(nil, 1000, "a\xffb"), "88 07 03 e8 61 ef bf bd 62"},
	} {
		if got, want := fmt.Sprintf("% x", c.got), c.want; got != want {
			t.Errorf("%s: got %s, want %s", c.name, got, want)
		}
	}
	if string(hello) != "Hello" {
		t.Errorf("AppendMasked has changed its payload to %q", hello)
	}
}

func TestAppendClose_CutsTheReasonAtARunesEnd(t *testing.T) {
	for lead := range 5 {
		reason := strings.Repeat("x", lead) + strings.Repeat("€𝄞", 40)
		frame := AppendClose(nil, 1000, reason)
		got := string(frame[4:])
		if !utf8.ValidString(got) || !strings.HasPrefix(reason, got) || len(got) > 123 || len(got) < 120 {
			t.Errorf("lead %d: %d bytes of reason, valid %v", lead, len(got), utf8.ValidString(got))
		}
		if int(frame[1]) != len(frame)-2 {
			t.Errorf("lead %d: the header says %d, the payload is %d", lead, frame[1], len(frame)-2)
		}
	}
	if frame := AppendClose(nil, 1000, strings.Repeat("x", 123)); len(frame) != 127 {
		t.Errorf("a reason of 123 bytes makes a frame of %d, want 127", len(frame))
	}
}

func TestXor_TakesUpWhereItLeftOff(t *testing.T) {
	for n := range 40 {
		whole := []byte(strings.Repeat("x", n))
		for i := range whole {
			whole[i] ^= testMask[i%4]
		}
		for cut := range n + 1 {
			b := []byte(strings.Repeat("x", n))
			xor(b[:cut], testMask, 0)
			xor(b[cut:], testMask, cut)
			if string(b) != string(whole) {
				t.Fatalf("%d bytes cut at %d: % x, want % x", n, cut, b, whole)
			}
		}
	}
}
