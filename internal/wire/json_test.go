package wire

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCheckJSON_NamesTheByte(t *testing.T) {
	for text, where := range map[string]string{
		``:                          "ends too early, after byte 0",
		`{"a":1`:                    "ends too early, after byte 6",
		`{"a":1,}`:                  "at byte 8:",
		`[1 2]`:                     "at byte 4:",
		`{"a" 1}`:                   "at byte 6:",
		`nul`:                       "ends too early, after byte 3",
		`01`:                        "at byte 2: something stands behind",
		`"` + "\x01" + `"`:          "at byte 2: a control character",
		`"\x"`:                      "at byte 3: no such escape",
		`"\u12g4"`:                  "at byte 6:",
		"\"a\xff\"":                 "at byte 3: the text is not UTF-8",
		"\"\xed\xa0\x80\"":          "at byte 2: the text is not UTF-8",
		`1.`:                        "ends too early, after byte 2",
		`-`:                         "ends too early, after byte 1",
		`1e`:                        "ends too early, after byte 2",
		`{} x`:                      "at byte 4: something stands behind",
		strings.Repeat("[", 101):    "at byte 101: nested too deeply",
		strings.Repeat(`{"":`, 101): "at byte 401: nested too deeply",
	} {
		if err := CheckJSON([]byte(text)); err == nil || !strings.Contains(err.Error(), where) {
			t.Errorf("%.20q: %v, want %q", text, err, where)
		}
	}
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for _, text := range []string{deep, ` {"a":[1,-0.5e+3,"é\u00e9",true,false,null,{}]} `, `"x"`, `0`} {
		if err := CheckJSON([]byte(text)); err != nil {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

// Strings are looked at in words: each byte value is tried at each place of
// one, beside others that are odd and that are not.
func TestPlainRun_EndsAtTheFirstByteThatIsNotPlain(t *testing.T) {
	for size := range 19 {
		for at := range size {
			for c := range 256 {
				for _, fill := range []byte{'x', ' ', '!', 0x7f, '#', '[', ']'} {
					b := bytes.Repeat([]byte{fill}, size)
					b[at] = byte(c)
					want := size
					if !plain[c] {
						want = at
					}
					if got := plainRun(b); got != want {
						t.Fatalf("%q: %d, want %d", b, got, want)
					}
				}
			}
		}
	}
}

// FuzzCheckJSON holds the scanner against encoding/json and unicode/utf8.
func FuzzCheckJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":"\u00e9\n"}]}`, `-1.5e-7`, "\"\xff\"", `[[[`, `tru`, " \t\r\n0 "} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want := json.Valid(b) && utf8.Valid(b)
		err := CheckJSON(b)
		if err != nil && strings.Contains(err.Error(), "nested too deeply") {
			return
		}
		if (err == nil) != want {
			t.Fatalf("%q: %v, encoding/json says %v", b, err, want)
		}
		if err != nil {
			return
		}
		var plain bytes.Buffer
		if err := json.Compact(&plain, b); err != nil {
			t.Fatal(err)
		}
		if got := Compact(b); !bytes.Equal(got, plain.Bytes()) {
			t.Fatalf("%q: compacted to %q, want %q", b, got, plain.Bytes())
		}
		line := slices.Concat([]byte(`{ "data": `), b, []byte(` , "channel" : "a"}`))
		if p, err := ParsePublication(line); err == nil && !bytes.Equal(p.Data, plain.Bytes()) {
			t.Fatalf("%q: published as %q, want %q", b, p.Data, plain.Bytes())
		}
	})
}

func FuzzParseRequest(f *testing.F) {
	for _, s := range []string{
		`{"type":"subscribe","channels":[{"channel":"a"},{"channel":"b"}],"request":1}`,
		`{"type":"publish","channel":"a","data":{"x":[]},"event":"e","key":"k"}`,
		`{"typ\u0065":"ping"}`, `{"type":"ping","type":"ping"}`, `{"channels":[`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRequest(b)
		if err == nil && !json.Valid(b) {
			t.Fatalf("took %q", b)
		}
		if r.Request != nil && !json.Valid(AppendPong(nil, r.Request)) {
			t.Fatalf("mark %q spoils the answer", r.Request)
		}
		if err != nil && !json.Valid(AppendError(nil, BadJSON, err.Error(), r.Request)) {
			t.Fatalf("error %q spoils the answer", err)
		}
		_, _ = ParsePublication(b)
	})
}

func BenchmarkParsePublication(b *testing.B) {
	line := []byte(`{"channel":"news","data":{"seq":12345,"t":1763900000000000000,"pad":"` + strings.Repeat("x", 64) + `"}}`)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePublication(line); err != nil {
			b.Fatal(err)
		}
	}
}
