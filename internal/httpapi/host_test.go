package httpapi

import (
	"strings"
	"testing"
)

func TestHost_LoopbackIsParsedAndNeverMatchedByItsBeginning(t *testing.T) {
	for s, want := range map[string]bool{
		"localhost":      true,
		"localhost:8000": true,
		"LOCALHOST:8000": true,
		"LocalHost":      true,
		"app.localhost":  true,
		"a.b.localhost":  true,
		"127.0.0.1":      true,
		"127.0.0.1:1":    true,
		"127.255.3.4:80": true,
		"[::1]":          true,
		"[::1]:8000":     true,
		"[0:0::1]:8000":  true,

		"":                         false,
		":8000":                    false,
		"127.0.0.1.evil.com":       false,
		"127.0.0.1.evil.com:8000":  false,
		"localhost.evil":           false,
		"localhost.evil.com":       false,
		"evil.com":                 false,
		"evillocalhost":            false,
		".localhost":               false,
		"a..localhost":             false,
		"localhost.":               false,
		"localhost.:8000":          false,
		"127.0.0.1.":               false,
		"evil.localhost.":          false,
		"localhost@evil.com":       false,
		"evil.com@localhost":       false,
		"user:pass@localhost:8000": false,
		"localhost:8000@evil.com":  false,
		"localhost:":               false,
		"localhost:0":              false,
		"localhost:080":            false,
		"localhost:+80":            false,
		"localhost:65536":          false,
		"localhost:8000:9":         false,
		"localhost:8000/x":         false,
		"localhost/x":              false,
		"localhost\\x":             false,
		"localhost#x":              false,
		"localhost?x":              false,
		"localhost%2eevil.com":     false,
		"local host":               false,
		" localhost":               false,
		"localhost\x00":            false,
		"ⓛocalhost":                false,
		"127.1":                    false,
		"127.0.0.01":               false,
		"0x7f.0.0.1":               false,
		"2130706433":               false,
		"0.0.0.0":                  false,
		"128.0.0.1":                false,
		"::1":                      false,
		"[::1":                     false,
		"[::1]8000":                false,
		"[::1]:":                   false,
		"[::1]:8000x":              false,
		"[::1].evil.com":           false,
		"[::1%lo]":                 false,
		"[::1%25lo]:80":            false,
		"[::2]":                    false,
		"[::]":                     false,
		"[127.0.0.1]":              false,
		"[::ffff:127.0.0.1]":       false,
		"[]":                       false,
		"[localhost]":              false,
	} {
		h, ok := parseHost(s)
		if got := ok && h.loopback(); got != want {
			t.Errorf("%q: loopback %t, want %t", s, got, want)
		}
	}
}

func TestOrigin_IsASchemeAHostAndNothingElse(t *testing.T) {
	for s, want := range map[string]string{
		"https://example.com":                       "https://example.com",
		"HTTPS://Example.COM:8443":                  "https://example.com:8443",
		"http://[::1]:8000":                         "http://[::1]:8000",
		"chrome-extension://abcdef":                 "chrome-extension://abcdef",
		"null":                                      "",
		"":                                          "",
		"example.com":                               "",
		"//example.com":                             "",
		"https://":                                  "",
		"https://example.com/":                      "",
		"https://example.com/x":                     "",
		"https://example.com?x":                     "",
		"https://user@example.com":                  "",
		"https://user:p@example.com":                "",
		"https://example.com.":                      "",
		"https://example.com, https://b.com":        "",
		"https://example.com https://b.com":         "",
		"https:example.com":                         "",
		"1https://example.com":                      "",
		"ht tp://example.com":                       "",
		"file://":                                   "",
		"https://" + strings.Repeat("a", 64) + ".x": "",
	} {
		o, ok := parseOrigin(s)
		if got := o.String(); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %t, want %q", s, got, ok, want)
		}
	}
}

func TestOrigin_TheUsualPortMayBeLeftOut(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"https://a.com", "https://a.com:443", true},
		{"http://a.com:80", "http://a.com", true},
		{"https://a.com", "http://a.com", false},
		{"https://a.com", "https://a.com:80", false},
		{"https://a.com", "https://b.a.com", false},
		{"http://[::1]", "http://[0::1]", true},
	} {
		a, _ := parseOrigin(c.a)
		b, _ := parseOrigin(c.b)
		if a.same(b) != c.same || b.same(a) != c.same {
			t.Errorf("%s and %s: same %t, want %t", c.a, c.b, !c.same, c.same)
		}
	}
}

func FuzzParseOrigin(f *testing.F) {
	for _, s := range []string{"http://localhost:8000", "http://[::1]", "https://127.0.0.1.evil.com", "null", "a-b://c.d:1", "http://LOCALHOST@x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, ok := parseOrigin(s)
		if !ok {
			return
		}
		again, ok := parseOrigin(o.String())
		if !ok || !again.same(o) || again.String() != o.String() {
			t.Fatalf("%q is %q, and that is %q, %t", s, o, again, ok)
		}
		// An independent reading of what loopback means.
		name, low := o.host.name, strings.ToLower(s)
		if o.host.loopback() && name != "localhost" && !strings.HasSuffix(name, ".localhost") && !strings.HasPrefix(name, "127.") && name != "::1" {
			t.Fatalf("%q counts as loopback", s)
		}
		if strings.ContainsAny(s, "@/ \\#?%,") && strings.Count(s, "/") != 2 || !strings.HasPrefix(low, o.scheme+"://") {
			t.Fatalf("%q was read as %q", s, o)
		}
		if _, ok := parseHost(o.host.String()); !ok {
			t.Fatalf("host %q of %q does not parse", o.host, s)
		}
	})
}
