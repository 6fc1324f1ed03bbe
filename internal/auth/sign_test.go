package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"holdfast.dev/holdfast/internal/wire"
)

const (
	secret      = "0123456789abcdef0123456789abcdef"
	otherSecret = "fedcba9876543210fedcba9876543210"
)

// start is when the tests take place.
var start = time.Date(2027, 1, 2, 14, 0, 0, 0, time.UTC)

// pairs are keys that sign, made once.
var pairs = sync.OnceValue(func() (p struct {
	rsa, otherRSA *rsa.PrivateKey
	ec, otherEC   *ecdsa.PrivateKey
	ed            ed25519.PrivateKey
}) {
	p.rsa = must(rsa.GenerateKey(rand.Reader, 2048))
	p.otherRSA = must(rsa.GenerateKey(rand.Reader, 2048))
	p.ec = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p.otherEC = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	_, p.ed, _ = ed25519.GenerateKey(rand.Reader)
	return p
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// pemOf returns a public key in PEM.
func pemOf(public any) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(public))})
}

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// sign makes a token of a header and claims as they stand.
func sign(method jwt.SigningMethod, header, claims string, key any) string {
	signed := b64(header) + "." + b64(claims)
	return signed + "." + b64(string(must(method.Sign(signed, key))))
}

// hs makes a token with the usual header, signed with secret.
func hs(claims string) string {
	return sign(jwt.SigningMethodHS256, `{"alg":"HS256"}`, claims, []byte(secret))
}

// verifier makes a Verifier at start.
func verifier(t testing.TB, c TokenConfig) *Verifier {
	t.Helper()
	if c.Now == nil {
		c.Now = func() time.Time { return start }
	}
	v, err := NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// allKeys has a key of each kind.
func allKeys() TokenConfig {
	p := pairs()
	return TokenConfig{
		Secrets:    []string{otherSecret, secret},
		PublicKeys: [][]byte{pemOf(&p.rsa.PublicKey), pemOf(&p.ec.PublicKey), pemOf(p.ed.Public())},
	}
}

// refused wants err to be a refusal with the code and the words, and without
// the token.
func refused(t *testing.T, err error, token string, code wire.Code, words string) {
	t.Helper()
	refusal, ok := errors.AsType[*wire.Error](err)
	switch {
	case err == nil:
		t.Error("it is let in")
	case !ok:
		t.Errorf("%T is no *wire.Error", err)
	case refusal.Code != code || !strings.Contains(refusal.Message, words):
		t.Errorf("refused with %s: %s\nwanted %s: …%s…", refusal.Code, refusal.Message, code, words)
	}
	for part := range strings.SplitSeq(token, ".") {
		if err != nil && len(part) > 20 && strings.Contains(err.Error(), part) {
			t.Errorf("the refusal shows the token: %s", err)
		}
	}
}
