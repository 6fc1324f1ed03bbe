package ws

import (
	"bytes"
	"compress/flate"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

func TestDeflate_MakesWhatInflatesToTheSame(t *testing.T) {
	random := make([]byte, 1<<17)
	rand.NewChaCha8([32]byte{1}).Read(random)
	for name, payload := range map[string][]byte{
		"nothing":        nil,
		"short":          []byte("Hello"),
		"repetitive":     bytes.Repeat([]byte("abc"), 1<<15),
		"incompressible": random,
	} {
		lim := Limits{MaxMessage: len(payload), Deflate: true}
		packed := Deflate([]byte("dst"), payload)
		if string(packed[:3]) != "dst" {
			t.Errorf("%s: Deflate has not appended", name)
		}
		if packed = packed[3:]; len(packed) > lim.maxDeflated() {
			t.Errorf("%s: %d bytes, and maxDeflated is %d", name, len(packed), lim.maxDeflated())
		}
		frame := append(AppendHeader(nil, Binary, true, len(packed)), packed...)
		var r Reader
		var got []byte
		lim.Client = true
		if err := r.Feed(frame, lim, func(m Message) error { got = bytes.Clone(m.Data); return nil }); err != nil || !bytes.Equal(got, payload) {
			t.Errorf("%s: %d bytes come back as %d, error %v", name, len(payload), len(got), err)
		}
	}
}

func TestDeflate_OfNothingIsOneByte(t *testing.T) {
	if got := Deflate(nil, nil); string(got) != "\x00" {
		t.Errorf("got % x, want 00 (RFC 7692, section 7.2.3.6)", got)
	}
}

func TestDeflate_KeepsNoContext(t *testing.T) {
	first := Deflate(nil, []byte("the same message"))
	for range 3 {
		if again := Deflate(nil, []byte("the same message")); !bytes.Equal(again, first) {
			t.Fatalf("first % x, then % x", first, again)
		}
	}
}

func TestDeflate_WorksFromManyGoroutines(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			want := strings.Repeat(string(rune('a'+i)), 1000)
			for range 50 {
				var r Reader
				got := ""
				err := r.Feed(deflated(want), Limits{MaxMessage: 1000, Deflate: true}, func(m Message) error {
					got = string(m.Data)
					return nil
				})
				if err != nil || got != want {
					t.Errorf("got %.20q, error %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

// final makes whole deflate streams, each ended by a final block, of the texts.
func final(texts ...string) string {
	var b bytes.Buffer
	for _, text := range texts {
		w, _ := flate.NewWriter(&b, 1)
		w.Write([]byte(text))
		w.Close()
	}
	return b.String()
}

func TestReader_InflatesWhateverBlocksAreSent(t *testing.T) {
	lim := Limits{MaxMessage: 50, Deflate: true}
	many := make([]string, maxFinal)
	for _, c := range []struct{ name, payload, want string }{
		{"nothing at all", "", `text ""`},
		{"one empty block", "\x00", `text ""`},
		{"final block and its padding", final("ab") + "\x00", `text "ab"`},
		{"final block without more", final("ab"), `text "ab"`},
		{"two final blocks", final("ab", "cd"), `text "abcd"`},
		{"final block and then an open one", final("ab") + string(Deflate(nil, []byte("cd"))), `text "abcd"`},
		{"final block, then one that refers back into it", final("Hello") + "\xf2\x00\x11\x00\x00", `text "HelloHello"`},
		{"as many final blocks as may be", final(many...) + string(Deflate(nil, []byte("x"))), `text "x"`},
		{"one more", final(many...) + final("") + string(Deflate(nil, []byte("x"))), "error 1007 compressed message does not inflate"},
		{"sync marker left on", string(Deflate(nil, []byte("ab"))) + "\x00\x00\xff\xff", "error 1007 compressed message does not inflate"},
		{"cut short", "\xf2\x48", "error 1007 compressed message does not inflate"},
		{"rune over two blocks", final("\xe2\x82", "\xac"), `text "€"`},
		{"as long as the limit", string(Deflate(nil, bytes.Repeat([]byte("a"), 50))), `text "` + strings.Repeat("a", 50) + `"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			feedBothWays(t, client(0xc1, c.payload), lim, []string{c.want})
		})
	}
}

// A bomb of ten blocks that hold a megabyte each must cost what the limit
// allows and no more.
func TestReader_EndsABombAtTheLimit(t *testing.T) {
	bomb := client(0xc1, string(Deflate(nil, make([]byte, 10<<20))))
	lim := Limits{MaxMessage: 64 << 10, Deflate: true}
	f := new(inflater)
	f.flate = flate.NewReader(&f.src)
	payload := Deflate(nil, make([]byte, 10<<20))
	if _, err := f.inflate(payload, false, lim); err == nil || !strings.HasPrefix(err.Error(), "1009") {
		t.Fatalf("inflate returns %v, want 1009", err)
	}
	if len(f.src.rest) < len(payload)*9/10 {
		t.Errorf("%d of %d bytes are left unread, want nearly all", len(f.src.rest), len(payload))
	}
	if cap(f.out) > lim.MaxMessage+1 {
		t.Errorf("a buffer of %d bytes for a limit of %d", cap(f.out), lim.MaxMessage)
	}
	var r Reader
	if got := record(&r, lim, bomb); got[0] != "error 1009 message over 65536 bytes" {
		t.Errorf("got %q", got)
	}
}
