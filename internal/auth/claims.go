package auth

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// rules are what claims are measured by.
type rules struct {
	audience, issuer string // enforced when not empty
	allowNoExpiry    bool
}

// read turns the payload of a token whose signature is right into a Grant
// without its name.
func (r rules) read(payload []byte, now time.Time) (Grant, *wire.Error) {
	claims, err := parseObject(payload)
	if err != nil {
		return Grant{}, refuse("has claims that cannot be read: %v", err)
	}
	var g Grant
	if refusal := r.times(&g, claims, now); refusal != nil {
		return Grant{}, refusal
	}
	if refusal := r.parties(claims); refusal != nil {
		return Grant{}, refusal
	}
	if g.User, err = user(claims); err != nil {
		return Grant{}, refuse("names a user that cannot be one: %v", err)
	}
	if g.Channels, err = patterns(claims, "channels"); err != nil {
		return Grant{}, refuse("cannot be read: %v", err)
	}
	if g.Publish, err = patterns(claims, "publish"); err != nil {
		return Grant{}, refuse("cannot be read: %v", err)
	}
	if n := len(g.Channels) + len(g.Publish); n > MaxPatterns {
		return Grant{}, refuse("has %d patterns in channels and publish, %d at most; use prefixes (chat-*)", n, MaxPatterns)
	}
	return g, nil
}

// times reads exp, nbf and iat (RFC 7519, sections 4.1.4 to 4.1.6).
func (r rules) times(g *Grant, claims object, now time.Time) *wire.Error {
	expires, ends, err := date(claims, "exp")
	if err != nil {
		return refuse("cannot be read: %v", err)
	}
	begins, _, err := date(claims, "nbf")
	if err != nil {
		return refuse("cannot be read: %v", err)
	}
	if g.Issued, _, err = date(claims, "iat"); err != nil {
		return refuse("cannot be read: %v", err)
	}
	switch {
	case !ends && !r.allowNoExpiry:
		return refuse("has no end (exp); this server takes only tokens that end")
	case ends && !now.Before(expires.Add(Leeway)):
		return refuse("expired %s", moment(expires, now))
	case begins.After(now.Add(Leeway)):
		return refuse("is not valid yet (nbf): it will be %s", moment(begins, now))
	case g.Issued.After(now.Add(Leeway)):
		return refuse("was made in the future (iat), %s; a clock is wrong", moment(g.Issued, now))
	}
	if ends {
		g.Expires = expires
	}
	return nil
}

// parties reads iss and aud (RFC 7519, sections 4.1.1 and 4.1.3).
func (r rules) parties(claims object) *wire.Error {
	issuer, given, err := claims.text("iss")
	switch {
	case err != nil:
		return refuse("cannot be read: %v", err)
	case r.issuer != "" && !given:
		return refuse("does not say who made it (iss); this server takes those of %s", wire.Quote(r.issuer))
	case r.issuer != "" && issuer != r.issuer:
		return refuse("was made by %s (iss); this server takes those of %s", wire.Quote(issuer), wire.Quote(r.issuer))
	}
	audience, err := audiences(claims)
	switch {
	case err != nil:
		return refuse("cannot be read: %v", err)
	case r.audience != "" && len(audience) == 0:
		return refuse("does not say for whom it is (aud); this server is %s", wire.Quote(r.audience))
	case r.audience != "" && !slices.Contains(audience, r.audience):
		return refuse("is for %s (aud); this server is %s", wire.Quote(audience[0]), wire.Quote(r.audience))
	}
	return nil
}

// audiences reads aud, a string or a list of strings.
func audiences(claims object) ([]string, error) {
	if raw, given := claims["aud"]; given && raw[0] == '[' {
		list, _, err := claims.texts("aud")
		return list, err
	}
	one, given, err := claims.text("aud")
	if err != nil || !given {
		return nil, err
	}
	return []string{one}, nil
}

// user reads sub. The user's own channel must be a channel name, and so must
// sub alone: it stands in paths of the HTTP interface.
func user(claims object) (string, error) {
	sub, given, err := claims.text("sub")
	if err != nil || !given {
		return "", err
	}
	return sub, CheckUser(sub)
}

// CheckUser returns nil when a token may name the user: wire.UserPrefix and
// name make a channel name, and name itself follows that grammar too.
func CheckUser(name string) error {
	if name == "" {
		return fmt.Errorf("sub is empty; leave it out for a token of nobody in particular")
	}
	if wire.CheckChannel(name) == nil && wire.CheckChannel(wire.UserPrefix+name) == nil {
		return nil
	}
	if longest := wire.MaxChannelName - len(wire.UserPrefix); len(name) > longest {
		return fmt.Errorf("sub has %d characters, %d at most", len(name), longest)
	}
	return fmt.Errorf("sub is %s; it may have the characters A-Z a-z 0-9 _ - . : @ = alone", wire.Quote(name))
}

// patterns reads a list of exact names and prefixes.
func patterns(claims object, name string) ([]wire.Pattern, error) {
	texts, _, err := claims.texts(name)
	if err != nil {
		return nil, err
	}
	list := make([]wire.Pattern, 0, len(texts))
	for _, text := range texts {
		p := wire.Pattern(text)
		if err := p.Check(); err != nil {
			return nil, fmt.Errorf("%s is no pattern for %s: %w", wire.Quote(text), name, err)
		}
		list = append(list, p)
	}
	return slices.Clip(list), nil
}

// latest bounds the times of a token: the end of the year 9999, beyond which
// RFC 3339 has no words.
const latest = 253402300800

// date reads a NumericDate (RFC 7519, section 2): seconds since 1970, as any
// JSON number. Fractions are cut off. The beginning of 1970 and what lies
// before it are times like any other, never "none".
func date(claims object, name string) (at time.Time, given bool, err error) {
	raw, given := claims[name]
	if !given {
		return time.Time{}, false, nil
	}
	var n json.Number
	if raw[0] == '"' || raw[0] == 'n' || json.Unmarshal(raw, &n) != nil {
		return time.Time{}, true, fmt.Errorf("%s is not a number of seconds", name)
	}
	seconds, err := strconv.ParseFloat(n.String(), 64)
	if err != nil || seconds >= latest || seconds <= -latest {
		return time.Time{}, true, fmt.Errorf("%s is out of range; it is counted in seconds since 1970, not in milliseconds", name)
	}
	return time.Unix(int64(math.Floor(seconds)), 0).UTC(), true, nil
}

// moment says when something was or will be: 5m10s ago, at 2026-….
func moment(at, now time.Time) string {
	d, words := now.Sub(at), " ago"
	if d < 0 {
		d, words = -d, " from now"
	}
	return d.Round(time.Second).String() + words + ", at " + at.UTC().Format(time.RFC3339)
}
