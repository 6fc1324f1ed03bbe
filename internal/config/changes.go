package config

import (
	"fmt"
	"slices"
	"strings"

	"holdfast.dev/holdfast/internal/schedule"
)

// Change is one difference between two configurations.
type Change struct {
	// Name is the setting's.
	Name string
	// From and To are the values for people, secrets redacted.
	From, To string
	// Origin is where the new value came from.
	Origin Origin
	// Reloadable is false when the new value needs a restart.
	Reloadable bool
}

// String returns for example "drain-limit: 30m → 10m (holdfast.yaml:3); needs
// a restart", or "schedules: +new ~changed -gone (holdfast.yaml:5)".
func (c Change) String() string {
	text := fmt.Sprintf("%s: %s → %s (%s)", c.Name, orNone(c.From), orNone(c.To), c.Origin)
	if c.Name == "schedules" {
		text = fmt.Sprintf("%s: %s (%s)", c.Name, c.To, c.Origin)
	}
	if !c.Reloadable {
		text += "; needs a restart"
	}
	return text
}

// Changes returns what differs between old and next, in the order of
// [Settings]. Values that did not change but come from elsewhere are left
// out.
func Changes(old, next Config) []Change {
	var changes []Change
	for i := range table {
		s := &table[i]
		if s.same(&old, &next) {
			continue
		}
		c := Change{Name: s.Name, From: s.Text(&old), To: s.Text(&next), Origin: next.Origin(s.Name), Reloadable: s.Reloadable}
		if (s.Name == "tls-cert" || s.Name == "tls-key") && (old.TLSCert == "") != (next.TLSCert == "") {
			c.Reloadable = false // the listener either speaks TLS or doesn't
		}
		if s.Name == "jwt-secret" || s.Name == "jwt-public-key" {
			c.Reloadable = old.takesTokenKeys(next)
		}
		if s.Secret {
			c.From, c.To = count(len(s.field.texts(&old))), count(len(s.field.texts(&next)))
		}
		if s.Name == "schedules" {
			c.From, c.To = "", scheduleChanges(old.Schedules, next.Schedules)
		}
		changes = append(changes, c)
	}
	return changes
}

// same reports whether the setting has one value in both.
func (s *Setting) same(a, b *Config) bool {
	if s.Name == "schedules" {
		return slices.EqualFunc(a.Schedules, b.Schedules, schedule.Schedule.Equal)
	}
	return slices.Equal(s.field.texts(a), s.field.texts(b))
}

// scheduleChanges names the schedules that came, went or changed.
func scheduleChanges(old, next []schedule.Schedule) string {
	before := map[string]schedule.Schedule{}
	for _, s := range old {
		before[s.Name] = s
	}
	var words []string
	for _, s := range next {
		was, ok := before[s.Name]
		switch {
		case !ok:
			words = append(words, "+"+s.Name)
		case !was.Equal(s):
			words = append(words, "~"+s.Name)
		}
		delete(before, s.Name)
	}
	for _, s := range old {
		if _, gone := before[s.Name]; gone {
			words = append(words, "-"+s.Name)
		}
	}
	return strings.Join(words, " ")
}

func count(keys int) string {
	if keys == 1 {
		return "1 key"
	}
	return fmt.Sprintf("%d keys", keys)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// Reloaded returns c with those values of next that take effect on reload.
// TLS is neither switched on nor off by it, and neither are tokens: sessions
// that came before would keep what they may do.
func (c Config) Reloaded(next Config) Config {
	c.APIKeys, c.AllowOrigins, c.AllowHosts = next.APIKeys, next.AllowOrigins, next.AllowHosts
	c.Schedules, c.LogLevel = next.Schedules, next.LogLevel
	if c.TLSCert != "" && next.TLSCert != "" {
		c.TLSCert, c.TLSKey = next.TLSCert, next.TLSKey
	}
	if c.takesTokenKeys(next) {
		c.JWTSecrets, c.JWTPublicKeys = next.JWTSecrets, next.JWTPublicKeys
	}
	return c
}

// takesTokenKeys reports whether tokens are checked with and without the keys
// of next, or neither. The URL of a key set stays as it is.
func (c Config) takesTokenKeys(next Config) bool {
	next.JWKSURL = c.JWKSURL
	return c.Tokens() == next.Tokens()
}
