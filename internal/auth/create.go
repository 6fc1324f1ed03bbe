package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"holdfast.dev/holdfast/internal/wire"
)

// Claims are what a token is to say. Empty ones are left out.
type Claims struct {
	User             string // sub
	Issuer, Audience string
	Issued, Expires  time.Time // whole seconds; fractions are cut off
	Channels         []wire.Pattern
	Publish          []wire.Pattern
}

// payload is the JSON form of Claims.
type payload struct {
	Subject  string         `json:"sub,omitempty"`
	Issuer   string         `json:"iss,omitempty"`
	Audience string         `json:"aud,omitempty"`
	Issued   int64          `json:"iat,omitempty"`
	Expires  int64          `json:"exp,omitempty"`
	Channels []wire.Pattern `json:"channels,omitempty"`
	Publish  []wire.Pattern `json:"publish,omitempty"`
}

// CreateToken makes a token signed with secret (HS256). Claims that a
// Verifier with that secret, issuer and audience would refuse are an error,
// as is a secret that CheckSecret refuses.
func CreateToken(secret string, c Claims) (string, error) {
	if err := CheckSecret(secret); err != nil {
		return "", fmt.Errorf("the secret %w", err)
	}
	if c.Expires.IsZero() || !c.Expires.After(c.Issued) {
		return "", errors.New("a token must end, and later than it begins")
	}
	p := payload{Subject: c.User, Issuer: c.Issuer, Audience: c.Audience, Expires: c.Expires.Unix(), Channels: c.Channels, Publish: c.Publish}
	if !c.Issued.IsZero() {
		p.Issued = c.Issued.Unix()
	}
	claims, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	if _, refusal := (rules{}).read(claims, c.Expires.Add(-1)); refusal != nil {
		return "", refusal
	}
	signed := encoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encoding.EncodeToString(claims)
	signature, err := jwt.SigningMethodHS256.Sign(signed, []byte(secret))
	if err != nil {
		return "", err
	}
	text := signed + "." + encoding.EncodeToString(signature)
	if len(text) > MaxToken {
		return "", fmt.Errorf("the token would have %d bytes, %d at most; name fewer channels, or prefixes (chat-*)", len(text), MaxToken)
	}
	return text, nil
}
