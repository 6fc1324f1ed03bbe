package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// MinSecret is the least length of a secret that signs tokens (RFC 7518,
// section 3.2, for HS256), in bytes.
const MinSecret = 32

// Bounds of RSA keys, in bits: RFC 7518, section 3.3, and what a check may
// cost.
const minRSA, maxRSA = 2048, 8192

// The algorithms that a token may be signed with (RFC 7518, RFC 8037).
const (
	hs256 = "HS256"
	rs256 = "RS256"
	es256 = "ES256"
	eddsa = "EdDSA"
)

var algorithms = []string{hs256, rs256, es256, eddsa}

// key is a key with the one algorithm that it verifies.
type key struct {
	id       string // kid, empty when the key has none
	method   jwt.SigningMethod
	material any
}

// algorithm returns what a token's alg must be for this key.
func (k key) algorithm() string { return k.method.Alg() }

// fits reports whether the key may be tried on the token. A key or a token
// without an id fits any.
func (k key) fits(t token) bool {
	return k.algorithm() == t.algorithm && (k.id == "" || t.keyID == "" || k.id == t.keyID)
}

// signed reports whether the key has signed the token.
func (k key) signed(t token) bool {
	return k.fits(t) && k.method.Verify(t.signed, t.signature, k.material) == nil
}

// secretKey makes the key of a shared secret.
func secretKey(secret string) key {
	return key{method: jwt.SigningMethodHS256, material: []byte(secret)}
}

// publicKey pins a public key to its algorithm. The error says why it cannot
// be used and reads on from what names the key.
func publicKey(public any) (key, error) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSA || bits > maxRSA {
			return key{}, fmt.Errorf("is an RSA key of %d bits; %d to %d are taken", bits, minRSA, maxRSA)
		}
		if k.E < 3 || k.E&1 == 0 {
			return key{}, fmt.Errorf("is an RSA key with the exponent %d, which verifies nothing", k.E)
		}
		return key{method: jwt.SigningMethodRS256, material: k}, nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return key{}, fmt.Errorf("is an ECDSA key on the curve %s; P-256 is taken", k.Curve.Params().Name)
		}
		return key{method: jwt.SigningMethodES256, material: k}, nil
	case ed25519.PublicKey:
		return key{method: jwt.SigningMethodEdDSA, material: k}, nil
	}
	return key{}, fmt.Errorf("is of a kind that signs no tokens here (%T); RSA, P-256 and Ed25519 are taken", public)
}
