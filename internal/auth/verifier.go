package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// TokenConfig says whose tokens count. At least one key or a JWKSURL is
// needed.
type TokenConfig struct {
	// Secrets verify HS256: each MinSecret bytes or more.
	Secrets []string
	// PublicKeys are contents of PEM files with public keys or certificates:
	// RSA of 2048 bits or more verifies RS256, P-256 ES256, Ed25519 EdDSA.
	PublicKeys [][]byte
	// JWKSURL is where a set of public keys is fetched, and fetched again: an
	// https URL, or http on this machine.
	JWKSURL string
	// Audience and Issuer must stand in aud and iss when they are not empty.
	Audience, Issuer string
	// AllowNoExpiry lets tokens in that have no exp.
	AllowNoExpiry bool
	// Logger is told when the key set cannot be fetched and when it can
	// again; nobody is when nil.
	Logger *slog.Logger
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Verifier checks tokens. It is safe for concurrent use.
type Verifier struct {
	// Static after construction.
	rules  rules
	keys   []key
	remote *remote // nil without a JWKSURL
	now    func() time.Time
}

// NewVerifier returns a Verifier. It starts nothing: with a JWKSURL, no token
// counts before Run is called. The error joins all that is wrong with the
// configuration; it names keys by their place and shows nothing of a secret.
func NewVerifier(c TokenConfig) (*Verifier, error) {
	v := &Verifier{now: c.Now, rules: rules{audience: c.Audience, issuer: c.Issuer, allowNoExpiry: c.AllowNoExpiry}}
	if v.now == nil {
		v.now = time.Now
	}
	var faults []error
	for i, secret := range c.Secrets {
		if err := CheckSecret(secret); err != nil {
			faults = append(faults, fmt.Errorf("token secret #%d %w", i+1, err))
		}
		v.keys = append(v.keys, secretKey(secret))
	}
	for i, text := range c.PublicKeys {
		keys, err := pemKeys(text)
		if err != nil {
			faults = append(faults, fmt.Errorf("token public key #%d %w", i+1, err))
		}
		v.keys = append(v.keys, keys...)
	}
	if c.JWKSURL != "" {
		var err error
		if v.remote, err = newRemote(c.JWKSURL, c.Logger, v.now); err != nil {
			faults = append(faults, err)
		}
	}
	if len(v.keys) == 0 && v.remote == nil && len(faults) == 0 {
		faults = append(faults, errors.New("no key to verify tokens with: name a secret, a public key or the URL of a key set"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return v, nil
}

// CheckSecret returns nil when text may serve as a secret for HS256:
// MinSecret bytes or more, and not a key of another kind. The error reads on
// from what names the secret and does not hold it.
func CheckSecret(text string) error {
	switch {
	case strings.Contains(text, "-----BEGIN "):
		return errors.New("is a key in PEM, not a secret; a public key goes to --jwt-public-key")
	case len(text) < MinSecret:
		return fmt.Errorf("has %d bytes, %d at least; make one with: openssl rand -hex 32", len(text), MinSecret)
	}
	return nil
}

// Run fetches the key set, and fetches it again as it grows old or a token
// asks for a key that is not in it. It returns nil once ctx is done; without
// a JWKSURL it does nothing else.
func (v *Verifier) Run(ctx context.Context) error {
	if v.remote == nil {
		<-ctx.Done()
		return nil
	}
	return v.remote.run(ctx)
}

// KeysFault returns why the key set could not be fetched the last time, nil
// when it could or when there is none. It is for whoever runs the server, not
// for clients: it may tell of addresses inside.
func (v *Verifier) KeysFault() error {
	if v.remote == nil {
		return nil
	}
	v.remote.mu.Lock()
	defer v.remote.mu.Unlock()
	return v.remote.failure
}

// Verify returns what the token allows. The error is a *wire.Error that says
// why it counts for nothing and does not show it: wire.Unauthorized, or
// wire.Unavailable when the keys to tell by have not been fetched. It may
// wait for a fetch of the key set, which all that wait share, for a few
// seconds at most.
func (v *Verifier) Verify(ctx context.Context, text string) (Grant, error) {
	t, refusal := parseToken(text)
	if refusal != nil {
		return Grant{}, refusal
	}
	if refusal := v.authentic(ctx, t); refusal != nil {
		return Grant{}, refusal
	}
	g, refusal := v.rules.read(t.payload, v.now())
	if refusal != nil {
		return Grant{}, refusal
	}
	g.Token = tokenName(t.signed)
	return g, nil
}

// authentic returns nil when one of the keys has signed the token.
func (v *Verifier) authentic(ctx context.Context, t token) *wire.Error {
	if anySigned(v.keys, t) {
		return nil
	}
	if v.remote == nil || t.algorithm == hs256 {
		return noKey(v.keys, t)
	}
	keys, refusal := v.remote.keys(ctx)
	if refusal != nil {
		return refusal
	}
	if anySigned(keys, t) {
		return nil
	}
	if t.keyID != "" && !slices.ContainsFunc(keys, func(k key) bool { return k.id == t.keyID }) {
		if keys, refusal = v.remote.renewed(ctx); refusal != nil {
			return refusal
		}
		if anySigned(keys, t) {
			return nil
		}
	}
	return noKey(slices.Concat(v.keys, keys), t)
}

func anySigned(keys []key, t token) bool {
	return slices.ContainsFunc(keys, func(k key) bool { return k.signed(t) })
}

// noKey says why none of the keys has signed the token.
func noKey(keys []key, t token) *wire.Error {
	var known []string
	for _, k := range keys {
		if k.fits(t) {
			return refuse("has a signature that no key of this server made: it was signed with another key, or changed")
		}
		known = append(known, k.algorithm())
	}
	slices.Sort(known)
	known = slices.Compact(known)
	switch {
	case slices.Contains(known, t.algorithm):
		return refuse("was signed with the key %s (kid), which this server does not have", wire.Quote(t.keyID))
	case t.algorithm == hs256:
		return refuse("is signed with HS256; this server has no secret to verify that with, only public keys")
	}
	return refuse("is signed with %s; the keys of this server are for %s", t.algorithm, strings.Join(known, ", "))
}
