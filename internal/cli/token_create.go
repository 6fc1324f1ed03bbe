package cli

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast.dev/holdfast/internal/auth"
	"holdfast.dev/holdfast/internal/config"
)

// creating is one run of the token create command.
type creating struct {
	*app
	secret            string
	channels, publish patternList
	ttl               time.Duration
	claims            auth.Claims
}

func newTokenCreate(a *app) *cobra.Command {
	t := &creating{app: a}
	c := &cobra.Command{
		Use:   "create",
		Short: "Make a token, signed with a secret (HS256)",
		Long: `Make a token, signed with the secret that the server has as --jwt-secret,
and print it. Without --secret, the secret is that of HOLDFAST_JWT_SECRET or in
the file HOLDFAST_JWT_SECRET_FILE. PATTERNS are names of channels, or their
beginning and a *, with commas between.`,
		Example: `  openssl rand -hex 32 > secret
  holdfast token create --secret @secret --sub ann --channels 'news,chat-*'
  TOKEN=$(holdfast token create --secret @secret --sub bot --publish '*')`,
		Args: arguments(0, 0, "flags only"),
	}
	f := c.Flags()
	f.StringVar(&t.secret, "secret", "", "`TEXT|@FILE` secret to sign with; better @FILE")
	f.StringVar(&t.claims.User, "sub", "", "`USER` whom the token is for")
	f.Var(&t.channels, "channels", "`PATTERNS` channels to subscribe to (repeatable)")
	f.Var(&t.publish, "publish", "`PATTERNS` channels to publish to (repeatable)")
	f.DurationVar(&t.ttl, "ttl", time.Hour, "`DURATION` how long it counts (1h)")
	f.StringVar(&t.claims.Audience, "audience", "", "`NAME` aud, as the server's --jwt-audience")
	f.StringVar(&t.claims.Issuer, "issuer", "", "`NAME` iss, as the server's --jwt-issuer")
	a.outputFlags(c)
	c.RunE = func(*cobra.Command, []string) error { return t.run() }
	return c
}

func (t *creating) run() error {
	if t.ttl < time.Second {
		return usage("--ttl is %s; a token counts for 1s at least", t.ttl)
	}
	secret, err := t.signingSecret()
	if err != nil {
		return err
	}
	now := time.Now()
	t.claims.Issued, t.claims.Expires = now, now.Add(t.ttl)
	t.claims.Channels, t.claims.Publish = t.channels, t.publish
	token, err := auth.CreateToken(secret, t.claims)
	if err != nil {
		return usage("%w", err)
	}
	if t.common.json {
		return json.NewEncoder(t.Out).Encode(map[string]any{"token": token, "expires": t.claims.Expires.UTC().Truncate(time.Second)})
	}
	if len(t.channels) == 0 {
		t.say("note: without --channels it opens no channel beyond those open to everybody%s", t.ownChannel())
	}
	return t.printf("%s\n", token)
}

// ownChannel names the channel that a user has without asking.
func (t *creating) ownChannel() string {
	if t.claims.User == "" {
		return ""
	}
	return " and user:" + t.claims.User
}

// signingSecret returns the secret of the flag or, without it, the first that
// the variables of the server's jwt-secret name.
func (t *creating) signingSecret() (string, error) {
	loader := config.Loader{}
	if t.secret != "" {
		loader.Flags = map[string][]string{"jwt-secret": {t.secret}}
	} else {
		for _, line := range t.Environ {
			if strings.HasPrefix(line, "HOLDFAST_JWT_SECRET=") || strings.HasPrefix(line, "HOLDFAST_JWT_SECRET_FILE=") {
				loader.Environ = append(loader.Environ, line)
			}
		}
	}
	c, _, err := loader.Load()
	if fault, ok := errors.AsType[*config.Fault](err); ok && t.secret != "" {
		return "", usage("--secret: %s", fault.Problem)
	}
	switch {
	case err != nil:
		return "", usage("%w", err)
	case len(c.JWTSecrets) == 0:
		return "", usage("no secret to sign with; make one with: openssl rand -hex 32 > secret, and give --secret @secret here and --jwt-secret @secret to the server")
	}
	return c.JWTSecrets[0].Reveal(), nil
}
