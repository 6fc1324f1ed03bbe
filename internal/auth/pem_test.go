package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func TestNewVerifier_RefusesKeysThatWillNotDo(t *testing.T) {
	p := pairs()
	weak := must(rsa.GenerateKey(rand.Reader, 1024)).PublicKey
	unity := rsa.PublicKey{N: p.rsa.N, E: 1}
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	for _, c := range []struct {
		name   string
		config TokenConfig
		words  []string
	}{
		{"nothing", TokenConfig{}, []string{"no key to verify tokens with"}},
		{"short secret", TokenConfig{Secrets: []string{secret, "sixteen-bytes-00"}}, []string{"secret #2", "16 bytes", "openssl rand -hex 32"}},
		{"PEM as a secret", TokenConfig{Secrets: []string{string(pemOf(&p.rsa.PublicKey))}}, []string{"--jwt-public-key"}},
		{"private key", TokenConfig{PublicKeys: [][]byte{block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(p.rsa)))}}, []string{"public key #1", "private key", "openssl pkey"}},
		{"private key behind a public one", TokenConfig{PublicKeys: [][]byte{append(pemOf(&p.ec.PublicKey), block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(p.ec)))...)}}, []string{"private key"}},
		{"encrypted private key", TokenConfig{PublicKeys: [][]byte{block("ENCRYPTED PRIVATE KEY", nil)}}, []string{"private key"}},
		{"PKCS #1", TokenConfig{PublicKeys: [][]byte{block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&p.rsa.PublicKey))}}, []string{"openssl rsa"}},
		{"RSA of 1024 bits", TokenConfig{PublicKeys: [][]byte{pemOf(&weak)}}, []string{"1024 bits"}},
		{"RSA with exponent 1", TokenConfig{PublicKeys: [][]byte{pemOf(&unity)}}, []string{"public key #1"}},
		{"P-384", TokenConfig{PublicKeys: [][]byte{pemOf(&p384.PublicKey)}}, []string{"P-384"}},
		{"a request", TokenConfig{PublicKeys: [][]byte{block("CERTIFICATE REQUEST", nil)}}, []string{`"CERTIFICATE REQUEST"`}},
		{"damaged", TokenConfig{PublicKeys: [][]byte{block("PUBLIC KEY", []byte("x"))}}, []string{"damaged"}},
		{"empty", TokenConfig{PublicKeys: [][]byte{nil}}, []string{"empty"}},
		{"words", TokenConfig{PublicKeys: [][]byte{[]byte("hello")}}, []string{"not PEM"}},
		{"JSON", TokenConfig{PublicKeys: [][]byte{[]byte(` {"keys":[]}`)}}, []string{"--jwks-url"}},
		{"SSH", TokenConfig{PublicKeys: [][]byte{[]byte("ssh-rsa AAAA")}}, []string{"ssh-keygen"}},
		{"http elsewhere", TokenConfig{JWKSURL: "http://login.example.com/keys"}, []string{"plain http", "https"}},
		{"a name like localhost", TokenConfig{JWKSURL: "http://localhost.example.com/keys"}, []string{"plain http"}},
		{"ftp", TokenConfig{JWKSURL: "ftp://login.example.com/keys"}, []string{"use https"}},
		{"file", TokenConfig{JWKSURL: "file:///etc/passwd"}, []string{"no URL of a key set"}},
		{"no URL", TokenConfig{JWKSURL: "login.example.com"}, []string{"no URL of a key set"}},
		{"a password in it", TokenConfig{JWKSURL: "https://a:hunter2@login.example.com/"}, []string{"user"}},
		{"all at once", TokenConfig{Secrets: []string{"x"}, PublicKeys: [][]byte{nil}, JWKSURL: "x"}, []string{"secret #1", "public key #1", "key set"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewVerifier(c.config)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, words := range c.words {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%q does not say %q", err, words)
				}
			}
			for _, shown := range []string{"hunter2", "sixteen-bytes"} {
				if strings.Contains(err.Error(), shown) {
					t.Errorf("%q shows a secret", err)
				}
			}
		})
	}
}

func TestNewVerifier_TakesACertificateForItsKey(t *testing.T) {
	p := pairs()
	template := &x509.Certificate{SerialNumber: big.NewInt(1)} // its dates are long past
	der := must(x509.CreateCertificate(rand.Reader, template, template, p.ed.Public(), p.ed))
	v := verifier(t, TokenConfig{PublicKeys: [][]byte{block("CERTIFICATE", der)}})
	if _, err := v.Verify(t.Context(), sign(jwt.SigningMethodEdDSA, `{"alg":"EdDSA"}`, `{`+exp+`}`, p.ed)); err != nil {
		t.Error(err)
	}
}

func TestNewVerifier_TakesKeySetsByHTTPOnThisMachineAlone(t *testing.T) {
	for _, u := range []string{"https://login.example.com/keys?a=b", "http://localhost:8080/k", "http://idp.localhost/k", "http://127.0.0.2/k", "http://[::1]:80/k"} {
		if err := CheckKeysURL(u); err != nil {
			t.Error(err)
		}
	}
}

func FuzzPublicKey(f *testing.F) {
	p := pairs()
	f.Add(pemOf(&p.rsa.PublicKey))
	f.Add(pemOf(p.ed.Public()))
	f.Add(block("CERTIFICATE", []byte("x")))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := pemKeys(text)
		if (err == nil) != (len(keys) > 0) {
			t.Errorf("%d keys and %v", len(keys), err)
		}
		for _, k := range keys {
			if _, private := k.material.(ed25519.PrivateKey); private || k.algorithm() == hs256 {
				t.Error("a private or shared key was taken")
			}
		}
	})
}
