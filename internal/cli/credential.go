package cli

import (
	"os"
	"strings"

	"holdfast.dev/holdfast/internal/config"
)

// credential is a secret that is sent to a server. One that stands in a file
// may change while a command runs, as tokens are renewed.
type credential struct {
	what string // for people: "API key", "token"
	text string // the secret, @FILE, or nothing
}

// clientKey returns the API key to call with: the flag's, or the first of
// HOLDFAST_API_KEY, or the content of HOLDFAST_API_KEY_FILE.
func (a *app) clientKey() (config.Secret, error) {
	first, _, _ := strings.Cut(a.variable("HOLDFAST_API_KEY"), ",")
	return a.credential("API key", a.common.key, first, "HOLDFAST_API_KEY_FILE").read()
}

// clientToken returns the token to connect with: the flag's, or that of
// HOLDFAST_TOKEN, or the content of HOLDFAST_TOKEN_FILE.
func (a *app) clientToken(flag string) credential {
	return a.credential("token", flag, a.variable("HOLDFAST_TOKEN"), "HOLDFAST_TOKEN_FILE")
}

func (a *app) credential(what, flag, variable, fileVariable string) credential {
	c := credential{what: what, text: flag}
	if c.text == "" {
		c.text = variable
	}
	if path := a.variable(fileVariable); c.text == "" && path != "" {
		c.text = "@" + path
	}
	return c
}

// read returns the secret as it is now; an empty one when none was given.
func (c credential) read() (config.Secret, error) {
	text := c.text
	if path, ok := strings.CutPrefix(text, "@"); ok {
		content, err := os.ReadFile(path)
		if err != nil {
			return config.Secret{}, usage("can't read the %s: %w", c.what, err)
		}
		text = string(content)
	}
	text = strings.TrimSpace(text)
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return config.Secret{}, usage("the %s has a space or a character that is not ASCII in it", c.what)
	}
	return config.NewSecret(text), nil
}
