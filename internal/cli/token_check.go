package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"holdfast.dev/holdfast/internal/auth"
	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/wire"
)

func newTokenCheck(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "check TOKEN|-",
		Short: "Say what a token allows, or why it counts for nothing",
		Long: `Say what a token allows, or why a server with the same settings would refuse
it. Takes the flags, variables and file of serve; with - the token is read from
standard input. Ends with 4 when the token counts for nothing, and with 3 when
the keys at --jwks-url cannot be fetched.`,
		Example: `  holdfast token check --jwt-secret @secret eyJhbGciOi…
  pbpaste | holdfast token check --jwt-public-key public.pem -
  holdfast token check --config holdfast.yaml --json - < token`,
		Args: arguments(1, 1, "one TOKEN, or - to read it from standard input"),

		DisableFlagsInUseLine: true,
	}
	settingFlags(c.Flags())
	c.Flags().VisitAll(func(f *pflag.Flag) {
		g, ok := f.Value.(*given)
		f.Hidden = ok && g.setting.Group != "Tokens" && f.Name != "config"
	})
	a.outputFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		cfg, err := a.effective(c)
		if err != nil {
			return err
		}
		if err = a.checkToken(ctx, cfg, args[0]); err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	return c
}

// checkToken says what the token allows under the configuration.
func (a *app) checkToken(ctx context.Context, cfg config.Config, token string) error {
	if token == "-" {
		text, err := readAll(ctx, a.In)
		if err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
		token = strings.TrimSpace(string(text))
	}
	if !cfg.Tokens() {
		return usage("no key to check it with; give what the server has: --jwt-secret @FILE, --jwt-public-key FILE, --jwks-url URL or --config FILE")
	}
	v, err := verifierOf(cfg)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = v.Run(running) }) // it ends by stop alone, without an error
	grant, err := v.Verify(ctx, token)
	fault := v.KeysFault()
	stop()
	wg.Wait()
	if refusal, ok := errors.AsType[*wire.Error](err); ok && refusal.Code == wire.Unavailable && fault != nil {
		return &exitError{exitUnreachable, fmt.Errorf("the keys at --jwks-url can't be fetched: %w", fault)}
	}
	if err != nil {
		return &exitError{exitRefused, err}
	}
	return a.printGrant(grant, time.Now())
}

// verifierOf makes the verifier that a server with the configuration has.
func verifierOf(cfg config.Config) (*auth.Verifier, error) {
	c := auth.TokenConfig{JWKSURL: cfg.JWKSURL, Audience: cfg.JWTAudience, Issuer: cfg.JWTIssuer, AllowNoExpiry: cfg.JWTAllowNoExpiry}
	for _, secret := range cfg.JWTSecrets {
		c.Secrets = append(c.Secrets, secret.Reveal())
	}
	for _, path := range cfg.JWTPublicKeys {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("can't read the public key: %w", err)
		}
		c.PublicKeys = append(c.PublicKeys, text)
	}
	return auth.NewVerifier(c)
}

// grantAnswer is a grant as JSON.
type grantAnswer struct {
	User     string     `json:"user,omitempty"`
	Issued   *time.Time `json:"issued,omitempty"`
	Expires  *time.Time `json:"expires,omitempty"`
	Channels []string   `json:"channels"`
	Publish  []string   `json:"publish"`
}

func (a *app) printGrant(g auth.Grant, now time.Time) error {
	if a.common.json {
		answer := grantAnswer{User: g.User, Channels: texts(g.Channels), Publish: texts(g.Publish)}
		if !g.Issued.IsZero() {
			answer.Issued = &g.Issued
		}
		if !g.Expires.IsZero() {
			answer.Expires = &g.Expires
		}
		return json.NewEncoder(a.Out).Encode(answer)
	}
	issued, expires := "not said", "never"
	if !g.Issued.IsZero() {
		issued = g.Issued.Format(time.RFC3339)
	}
	if !g.Expires.IsZero() {
		expires = g.Expires.Format(time.RFC3339)
		if left := g.Expires.Sub(now); left > 0 {
			expires += ", in " + span(left)
		}
	}
	channels := texts(g.Channels)
	if g.User != "" {
		channels = append(channels, wire.UserPrefix+g.User+" (its own)")
	}
	return a.printf("The token counts.\n  user       %s\n  issued     %s\n  expires    %s\n  channels   %s\n  publish    %s\n",
		otherwise(g.User, "nobody in particular"), issued, expires,
		otherwise(strings.Join(channels, ", "), "none"), otherwise(strings.Join(texts(g.Publish), ", "), "none"))
}
