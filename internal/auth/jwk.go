package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// maxKeys bounds how many keys a set may have.
const maxKeys = 100

// jwk is one key of a set (RFC 7517; RFC 7518, section 6; RFC 8037).
type jwk struct {
	Type       string          `json:"kty"`
	Use        string          `json:"use"`
	Operations []string        `json:"key_ops"`
	Algorithm  string          `json:"alg"`
	ID         string          `json:"kid"`
	Curve      string          `json:"crv"`
	N          string          `json:"n"`
	E          string          `json:"e"`
	X          string          `json:"x"`
	Y          string          `json:"y"`
	Private    json.RawMessage `json:"d"`
}

// parseKeySet reads a JWK set and returns the keys in it that verify tokens
// here. Others are passed over, since sets serve many purposes. A set without
// a key that can be used is an error, which tells of the last one.
func parseKeySet(text []byte) ([]key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, errors.New("the answer is not a set of keys in JSON")
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("the set has %d keys, %d at most", len(set.Keys), maxKeys)
	}
	var keys []key
	why := errors.New("it is empty")
	for _, raw := range set.Keys {
		var j jwk
		if err := json.Unmarshal(raw, &j); err != nil {
			why = errors.New("a key in it cannot be read")
			continue
		}
		k, err := j.key()
		if err != nil {
			why = fmt.Errorf("a key in it %w", err)
			continue
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("the set has no key that verifies tokens here: %w", why)
	}
	return keys, nil
}

// key returns the key to verify with. The error reads on from "a key".
func (j jwk) key() (key, error) {
	if j.Use != "" && j.Use != "sig" || len(j.Operations) > 0 && !slices.Contains(j.Operations, "verify") {
		return key{}, errors.New("is not for signatures")
	}
	if j.Private != nil {
		return key{}, errors.New("is private and published: nobody can trust it")
	}
	public, err := j.public()
	if err != nil {
		return key{}, err
	}
	k, err := publicKey(public)
	if err != nil {
		return key{}, err
	}
	if j.Algorithm != "" && j.Algorithm != k.algorithm() {
		return key{}, errors.New("is for another algorithm")
	}
	k.id = j.ID
	return k, nil
}

func (j jwk) public() (any, error) {
	switch {
	case j.Type == "RSA":
		return j.rsa()
	case j.Type == "EC" && j.Curve == "P-256":
		x, y := number(j.X), number(j.Y)
		if len(x) != 32 || len(y) != 32 {
			return nil, errors.New("is no point of P-256")
		}
		k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
		if err != nil {
			return nil, errors.New("is no point of P-256")
		}
		return k, nil
	case j.Type == "OKP" && j.Curve == "Ed25519":
		x := number(j.X)
		if len(x) != ed25519.PublicKeySize {
			return nil, errors.New("is no key of Ed25519")
		}
		return ed25519.PublicKey(x), nil
	}
	return nil, errors.New("is of a kind that signs no tokens here")
}

func (j jwk) rsa() (any, error) {
	n, e := number(j.N), number(j.E)
	exponent := new(big.Int).SetBytes(e)
	if len(n) == 0 || exponent.BitLen() < 2 || exponent.BitLen() > 31 {
		return nil, errors.New("is no RSA key")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
}

// number decodes a member in base64url; some issuers pad it. It is empty when
// the text is not that.
func number(text string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil
	}
	return b
}
