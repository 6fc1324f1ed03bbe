package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Least lengths of secrets, in bytes.
const (
	MinKey       = 16 // of an API key
	MinJWTSecret = 32 // of a secret of HS256 tokens (RFC 7518, section 3.2)
)

// redacted stands for a secret wherever one would be printed.
const redacted = "(set)"

// Secret is text that must not be shown. It prints as "(set)" under every
// verb of fmt, in JSON and in slog. The text lies behind a pointer, so that
// it stays hidden even inside a struct whose unexported fields are printed.
type Secret struct{ text *string }

// NewSecret hides text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text. Use it to compare or to send, never to print.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// String returns "(set)", or nothing when the secret is empty.
func (s Secret) String() string {
	if s.Reveal() == "" {
		return ""
	}
	return redacted
}

// GoString is String.
func (s Secret) GoString() string { return s.String() }

// Format writes String, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// MarshalText returns String; encoding/json uses it too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue returns String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
