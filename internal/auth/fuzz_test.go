package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"holdfast.dev/holdfast/internal/wire"
)

// FuzzVerify: Verify never panics, and what it lets in was signed with the
// secret. The seeds are signed, so that the claims are reached.
func FuzzVerify(f *testing.F) {
	p := pairs()
	config := allKeys()
	config.Secrets = []string{secret}
	v := verifier(f, config)
	for _, text := range []string{
		"", "..", hs(`{` + exp + `}`), hs(`{"sub":"ann","channels":["a*"],` + exp + `}`), hs(`{"exp":1e9}`),
		b64(`{"alg":"none"}`) + "." + b64(`{`+exp+`}`) + ".",
		sign(jwt.SigningMethodES256, `{"alg":"ES256","kid":"a"}`, `{`+exp+`}`, p.otherEC),
		sign(jwt.SigningMethodRS256, `{"alg":"RS256"}`, `{`+exp+`}`, p.otherRSA),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, err := v.Verify(t.Context(), text)
		if err != nil {
			if _, ok := errors.AsType[*wire.Error](err); !ok {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		end := strings.LastIndexByte(text, '.')
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(text[:end]))
		if text[end+1:] != base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) {
			t.Fatalf("let in and not signed: %q", text)
		}
		if g.User != "" && wire.CheckChannel(wire.UserPrefix+g.User) != nil {
			t.Errorf("the user is %q", g.User)
		}
	})
}

// FuzzClaims signs what it is given, so that any header and claims are
// reached.
func FuzzClaims(f *testing.F) {
	v := verifier(f, TokenConfig{Secrets: []string{secret}})
	f.Add(`{"alg":"HS256"}`, `{"sub":"ann","aud":["a"],"iss":"b","nbf":0,"iat":1.5,"channels":["a*"],"publish":[],`+exp+`}`)
	f.Add(`{"alg":"HS256","kid":"x"}`, `{"exp":-0.0e5}`)
	f.Add(`{"alg":"none"}`, `{}`)
	f.Fuzz(func(t *testing.T, header, claims string) {
		g, err := v.Verify(t.Context(), sign(jwt.SigningMethodHS256, header, claims, []byte(secret)))
		if err != nil {
			return
		}
		if g.Expires.IsZero() || !start.Before(g.Expires.Add(Leeway)) {
			t.Errorf("let in until %s", g.Expires)
		}
		if !strings.Contains(header, "HS256") && !strings.Contains(header, `\u`) {
			t.Errorf("let in with the header %q", header)
		}
		if len(g.Channels)+len(g.Publish) > MaxPatterns {
			t.Error("too many patterns")
		}
		for _, p := range append(g.Channels, g.Publish...) {
			if p.Check() != nil {
				t.Errorf("the pattern %q", p)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	p := pairs()
	v := verifier(b, allKeys())
	claims := `{"sub":"ann",` + exp + `,"channels":["news","chat-*"]}`
	for _, c := range []struct {
		method jwt.SigningMethod
		key    any
	}{{jwt.SigningMethodHS256, []byte(secret)}, {jwt.SigningMethodES256, p.ec}, {jwt.SigningMethodRS256, p.rsa}, {jwt.SigningMethodEdDSA, p.ed}} {
		token := sign(c.method, `{"alg":"`+c.method.Alg()+`","typ":"JWT"}`, claims, c.key)
		b.Run(c.method.Alg(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
