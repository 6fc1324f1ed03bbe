package config

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
)

// Validate returns every fault of a configuration that was not loaded but
// made in code, joined (see [Faults]); nil when it has none. What
// [Loader.Load] returns needs no further check.
func (c Config) Validate() error {
	var faults []error
	failed := map[string]bool{}
	for i := range table {
		s := &table[i]
		if s.FileOnly {
			continue
		}
		texts := s.field.texts(&c)
		if len(texts) == 0 && !s.Repeatable() {
			texts = []string{""}
		}
		for _, text := range texts {
			if err := s.field.check(text); err != nil {
				failed[s.Name] = true
				faults = append(faults, &Fault{Key: s.Name, Problem: s.Name + ": " + err.Error()})
			}
		}
	}
	return errors.Join(append(faults, c.faults(failed)...)...)
}

// faults returns what is wrong between settings, leaving out rules about
// those that are faulty by themselves.
func (c *Config) faults(failed map[string]bool) []error {
	var faults []error
	if !failed["tls-cert"] && !failed["tls-key"] && (c.TLSCert == "") != (c.TLSKey == "") {
		given, missing := "tls-cert", "tls-key"
		if c.TLSCert == "" {
			given, missing = missing, given
		}
		faults = append(faults, &Fault{Key: given, Origin: c.Origin(given),
			Problem: fmt.Sprintf("TLS needs %s too; give both or neither", missing)})
	}
	if !failed["data"] && !failed["durability"] && c.Durability == DurabilitySync && c.Data == "" {
		faults = append(faults, &Fault{Key: "durability", Origin: c.Origin("durability"),
			Problem: "sync needs a folder to write to; name it by data"})
	}
	if !failed["trusted-proxy"] && c.ProxyProtocol && len(c.TrustedProxies) == 0 {
		faults = append(faults, &Fault{Key: "proxy-protocol", Origin: c.Origin("proxy-protocol"),
			Problem: "whose PROXY protocol counts must be said; name the proxies by trusted-proxy"})
	}
	faults = append(faults, c.tokenFaults(failed)...)
	exposed := !IsLoopback(c.Listen) && len(c.APIKeys) == 0 && !c.Insecure
	if exposed && !failed["listen"] && !failed["api-key"] && !failed["insecure"] {
		faults = append(faults, &BindError{Listen: c.Listen, Command: "holdfast serve --listen " + c.Listen, Key: newKey()})
	}
	return faults
}

// tokenFaults refuses rules for tokens while no key of tokens is known: who
// sets them believes that tokens are checked.
func (c *Config) tokenFaults(failed map[string]bool) (faults []error) {
	if c.Tokens() || failed["jwt-secret"] || failed["jwt-public-key"] || failed["jwks-url"] {
		return nil
	}
	for _, rule := range []struct {
		name string
		set  bool
	}{{"jwt-audience", c.JWTAudience != ""}, {"jwt-issuer", c.JWTIssuer != ""}, {"jwt-allow-no-expiry", c.JWTAllowNoExpiry}} {
		if rule.set {
			faults = append(faults, &Fault{Key: rule.name, Origin: c.Origin(rule.name),
				Problem: "no token can be checked without a key; give jwt-secret, jwt-public-key or jwks-url too"})
		}
	}
	return faults
}

// Tokens reports whether a key that tokens are checked with is set.
func (c *Config) Tokens() bool {
	return len(c.JWTSecrets) > 0 || len(c.JWTPublicKeys) > 0 || c.JWKSURL != ""
}

// BindError refuses an address that others can reach while no key is set.
type BindError struct {
	// Listen is the address refused.
	Listen string
	// Command is the command line to which the remedies are appended.
	Command string
	// Key is a key made for the occasion, of 32 random bytes.
	Key string
}

// Error returns three lines: what was refused and why, and two command lines
// to choose from. In both, clients may subscribe without a token.
func (e *BindError) Error() string {
	return strings.Join([]string{
		"refused to listen on " + e.Listen + " without an API key: whoever reaches it could publish and disconnect clients. Run one of",
		"  " + e.Command + " --api-key " + e.Key + " --anonymous '*'",
		"  " + e.Command + " --insecure",
	}, "\n")
}

// newKey returns 32 random bytes as text.
func newKey() string { return rand.Text() + rand.Text() }
