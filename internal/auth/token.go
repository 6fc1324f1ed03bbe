package auth

import (
	"encoding/base64"
	"slices"
	"strings"

	"holdfast.dev/holdfast/internal/wire"
)

// token is a signed token taken apart (RFC 7515, section 3.1), its signature
// not yet checked.
type token struct {
	algorithm string
	keyID     string // kid, empty when not given
	signed    string // header and payload as they stand there
	payload   []byte
	signature []byte
}

// forbidden are the header parameters that would have us take a key, or a
// rule of how to read, from the token itself (RFC 7515, section 4.1).
var forbidden = []string{"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"}

// encoding refuses trailing bits that are not zero (RFC 4648, section 3.5).
var encoding = base64.RawURLEncoding.Strict()

// parseToken takes a token apart. Nothing of it is trusted yet.
func parseToken(text string) (token, *wire.Error) {
	if len(text) > MaxToken {
		return token{}, refuse("has %d bytes, %d at most", len(text), MaxToken)
	}
	if strings.Count(text, ".") == 4 {
		return token{}, refuse("is encrypted (JWE); this server takes signed ones (JWS)")
	}
	header, rest, first := strings.Cut(text, ".")
	payload, signature, second := strings.Cut(rest, ".")
	if !first || !second || strings.Contains(signature, ".") {
		return token{}, refuse("is not a JWT: three parts with a dot between each")
	}
	t := token{signed: text[:len(header)+1+len(payload)]}
	head, ok := decodePart(header)
	if !ok {
		return token{}, refuse("cannot be read: its header is not base64url without padding")
	}
	if t.payload, ok = decodePart(payload); !ok {
		return token{}, refuse("cannot be read: its payload is not base64url without padding")
	}
	if t.signature, ok = decodePart(signature); !ok {
		return token{}, refuse("cannot be read: its signature is not base64url without padding")
	}
	return t, t.readHeader(head)
}

// decodePart decodes base64url. The standard library skips line ends.
func decodePart(text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	b, err := encoding.DecodeString(text)
	return b, err == nil
}

func (t *token) readHeader(text []byte) *wire.Error {
	header, err := parseObject(text)
	if err != nil {
		return refuse("has a header that cannot be read: %v", err)
	}
	for _, name := range forbidden {
		if _, given := header[name]; given {
			return refuse("has %s in its header, which is refused here: keys come from the server's configuration alone", name)
		}
	}
	var given bool
	if t.algorithm, given, err = header.text("alg"); err != nil || !given {
		return refuse("does not say in its header how it is signed (alg)")
	}
	if t.keyID, _, err = header.text("kid"); err != nil {
		return refuse("has a key id (kid) in its header that is not a string")
	}
	if !slices.Contains(algorithms, t.algorithm) {
		return refuse("is signed with alg %s; this server knows %s", wire.Quote(t.algorithm), strings.Join(algorithms, ", "))
	}
	return nil
}

// refuse makes the error of a token that does not count. The words go on
// from "the token".
func refuse(format string, args ...any) *wire.Error {
	return wire.Errorf(wire.Unauthorized, "the token "+format, args...)
}
