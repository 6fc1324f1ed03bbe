package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// MaxToken is the greatest length of a token, in bytes.
const MaxToken = 8 << 10

// MaxPatterns bounds how many patterns one token may hold, those to subscribe
// to and those to publish to together.
const MaxPatterns = 1000

// Leeway is how far the clock of whoever signs tokens may be from ours, either
// way.
const Leeway = 30 * time.Second

// Grant is what a token allows. It holds no part of the token that could be
// used again as one.
type Grant struct {
	// User is whom the token names (sub), empty when it names nobody. With
	// wire.UserPrefix before it, it is a channel name.
	User string
	// Expires is when the token ends (exp, whole seconds); zero only where
	// tokens without an end are allowed. A token that was let in within the
	// Leeway has an end in the past.
	Expires time.Time
	// Issued is when the token was made (iat, whole seconds), zero when it
	// does not say.
	Issued time.Time
	// Token names the token, for its revocation. Nobody who holds a token can
	// make one of another name from it.
	Token string
	// Channels are those the client may subscribe to, beyond what everybody
	// may.
	Channels []wire.Pattern
	// Publish are those the client may publish to, beyond what everybody may.
	Publish []wire.Pattern
}

// tokenName returns the name of the token with the given header and payload,
// as they stand in it: hexadecimal digits of half their SHA-256 sum. The
// signature is left out, since of one ECDSA signature anybody can make
// another that is as good; what is signed cannot be changed by a bit.
func tokenName(signed string) string {
	sum := sha256.Sum256([]byte(signed))
	return hex.EncodeToString(sum[:tokenNameBytes])
}

const tokenNameBytes = 16
