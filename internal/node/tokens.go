package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"time"

	"holdfast.dev/holdfast/internal/auth"
	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// tokens says which tokens count.
type tokens struct {
	verifier    *auth.Verifier // nil where none do
	revocations auth.Revocations
	keep        func([]byte) error // puts the revocations into safety; nil where nothing can
}

// newTokens reads the keys that the configuration names.
func newTokens(cfg config.Config, logger *slog.Logger) (*tokens, error) {
	t := &tokens{}
	if !tokenKeys(cfg) {
		return t, nil
	}
	c := auth.TokenConfig{
		JWKSURL: cfg.JWKSURL, Audience: cfg.JWTAudience, Issuer: cfg.JWTIssuer,
		AllowNoExpiry: cfg.JWTAllowNoExpiry, Logger: logger,
	}
	for _, s := range cfg.JWTSecrets {
		c.Secrets = append(c.Secrets, s.Reveal())
	}
	for _, path := range cfg.JWTPublicKeys {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("--jwt-public-key: %w", err)
		}
		c.PublicKeys = append(c.PublicKeys, text)
	}
	var err error
	t.verifier, err = auth.NewVerifier(c)
	return t, err
}

// tokenKeys reports whether the configuration names any key of tokens.
func tokenKeys(cfg config.Config) bool {
	return len(cfg.JWTSecrets) > 0 || len(cfg.JWTPublicKeys) > 0 || cfg.JWKSURL != ""
}

// anonymous returns the channels that clients without a token may subscribe
// to: those that the configuration names or, where it says nothing of tokens
// and only this machine can connect, all.
func anonymous(cfg config.Config) []wire.Pattern {
	if len(cfg.Anonymous) > 0 || tokenKeys(cfg) || !loopback(cfg.Listen) {
		return cfg.Anonymous
	}
	return []wire.Pattern{"*"}
}

func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// verify returns what a token allows. It is nil where no tokens count.
func (t *tokens) verify() func(context.Context, string) (*session.Grant, error) {
	if t.verifier == nil {
		return nil
	}
	return func(ctx context.Context, text string) (*session.Grant, error) {
		g, err := t.verifier.Verify(ctx, text)
		if err != nil {
			return nil, err
		}
		if t.revocations.Revoked(g) {
			return nil, wire.Errorf(wire.Unauthorized, "the token was revoked; get a new one")
		}
		return &session.Grant{User: g.User, Expires: g.Expires, Token: g.Token, Channels: g.Channels, Publish: g.Publish}, nil
	}
}

// run does what goes on in the background.
func (t *tokens) run(ctx context.Context) error {
	if t.verifier == nil {
		return nil
	}
	return t.verifier.Run(ctx)
}

// RevokeUser refuses all tokens of a user that were issued up to now.
func (t *tokens) RevokeUser(user string) error {
	if err := t.revocations.RevokeUser(user, time.Now()); err != nil {
		return err
	}
	return t.save()
}

// RevokeToken refuses one token.
func (t *tokens) RevokeToken(g *session.Grant) error {
	if err := t.revocations.RevokeToken(g.Token, g.Expires); err != nil {
		return err
	}
	return t.save()
}

func (t *tokens) save() error {
	if t.keep == nil {
		return nil
	}
	if err := t.keep(t.revocations.Snapshot()); err != nil {
		return errors.Join(wire.Errorf(wire.Unavailable, "revoked until this server is started anew: the journal cannot be written"), err)
	}
	return nil
}
