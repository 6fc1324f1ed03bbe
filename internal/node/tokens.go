package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"holdfast.dev/holdfast/internal/auth"
	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/engine/journal"
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// tokens says which tokens count.
type tokens struct {
	// Static after newTokens.
	keep     func([]byte) error  // puts the revocations into safety; nil where nothing can
	replaced chan *auth.Verifier // verifiers that take over

	verifier    atomic.Pointer[auth.Verifier] // nil where no token counts
	revocations auth.Revocations
}

func newTokens(cfg config.Config, logger *slog.Logger) (*tokens, error) {
	v, err := newVerifier(cfg, logger)
	if err != nil {
		return nil, err
	}
	t := &tokens{replaced: make(chan *auth.Verifier)}
	t.verifier.Store(v)
	return t, nil
}

// newVerifier reads the keys that the configuration names. It returns nil
// where it names none.
func newVerifier(cfg config.Config, logger *slog.Logger) (*auth.Verifier, error) {
	if !cfg.Tokens() {
		return nil, nil
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
	return auth.NewVerifier(c)
}

// revocationsKept is the name of the revocations in a journal.
const revocationsKept = "revocations"

// restore takes the revocations that the journal has, and has it keep them
// from now on.
func (t *tokens) restore(disk *journal.Engine) error {
	t.keep = func(text []byte) error { return disk.SetState(revocationsKept, text) }
	text := disk.State(revocationsKept)
	if text == nil {
		return nil
	}
	if err := t.revocations.Restore(text); err != nil {
		return fmt.Errorf("which tokens were revoked cannot be read from the journal: %w", err)
	}
	return nil
}

// verify returns what a token allows. Errors are *wire.Error.
func (t *tokens) verify(ctx context.Context, text string) (*session.Grant, error) {
	v := t.verifier.Load()
	if v == nil {
		return nil, wire.Errorf(wire.Unauthorized, "no tokens are configured on this server (--jwt-secret, --jwt-public-key, --jwks-url); connect without one")
	}
	g, err := v.Verify(ctx, text)
	if err != nil {
		return nil, err
	}
	if t.revocations.Revoked(g) {
		return nil, wire.Errorf(wire.Unauthorized, "the token was revoked; get a new one")
	}
	return &session.Grant{User: g.User, Issued: g.Issued, Expires: g.Expires, Token: g.Token, Channels: g.Channels, Publish: g.Publish}, nil
}

// revoked reports whether a token that verify let in counts no more.
func (t *tokens) revoked(g *session.Grant) bool {
	return g.Token != "" && t.revocations.Revoked(auth.Grant{User: g.User, Issued: g.Issued, Token: g.Token})
}

// run does what goes on in the background, for one verifier after the other.
func (t *tokens) run(ctx context.Context) error {
	v := t.verifier.Load()
	if v == nil {
		return nil
	}
	for {
		inner, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		run := v.Run // of this one, whatever v becomes
		go func() { done <- run(inner) }()
		select {
		case <-ctx.Done():
			stop()
			return <-done
		case v = <-t.replaced:
			stop()
			<-done
		}
	}
}

// replace has tokens checked by the keys of another verifier from now on.
// There must have been one before.
func (t *tokens) replace(ctx context.Context, v *auth.Verifier) {
	t.verifier.Store(v)
	select {
	case t.replaced <- v:
	case <-ctx.Done():
	}
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
