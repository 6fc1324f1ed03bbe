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
	exposed := !IsLoopback(c.Listen) && len(c.APIKeys) == 0 && !c.Insecure
	if exposed && !failed["listen"] && !failed["api-key"] && !failed["insecure"] {
		faults = append(faults, &BindError{Listen: c.Listen, Command: "holdfast serve --listen " + c.Listen, Key: newKey()})
	}
	return faults
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
// to choose from.
func (e *BindError) Error() string {
	return strings.Join([]string{
		"refused to listen on " + e.Listen + " without an API key: whoever reaches it could publish and disconnect clients. Run one of",
		"  " + e.Command + " --api-key " + e.Key,
		"  " + e.Command + " --insecure",
	}, "\n")
}

// newKey returns 32 random bytes as text.
func newKey() string { return rand.Text() + rand.Text() }
