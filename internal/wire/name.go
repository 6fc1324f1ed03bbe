package wire

import (
	"fmt"
	"strings"
)

// Broadcast is the channel that reaches every session without subscribing.
const Broadcast = "broadcast"

// UserPrefix begins the channels that reach one user's sessions and that
// nobody may subscribe to by hand.
const UserPrefix = "user:"

// Bounds of names, in bytes.
const (
	MaxChannelName = 200
	MaxEventName   = 64
	MaxKey         = 256
)

// CheckChannel returns nil when name follows the grammar of channel names:
// 1 to 200 characters of A-Z a-z 0-9 _ - . : @ =, and neither "." nor "..".
func CheckChannel(name string) error {
	switch {
	case name == "":
		return Errorf(BadChannel, "the channel name is empty")
	case len(name) > MaxChannelName:
		return Errorf(BadChannel, "the channel name has %d characters, %d at most", len(name), MaxChannelName)
	case name == "." || name == "..":
		return Errorf(BadChannel, "%q is no channel name", name)
	}
	for i := range len(name) {
		if !nameByte[name[i]] {
			return Errorf(BadChannel, "character %s of channel name %s is not one of A-Z a-z 0-9 _ - . : @ =", ordinal(i+1), Quote(name))
		}
	}
	return nil
}

// CheckEvent returns nil when name may be a message's event: at most 64
// characters of A-Z a-z 0-9 _ . : -, or empty for none.
func CheckEvent(name string) error {
	if len(name) > MaxEventName {
		return Errorf(BadRequest, "the event name has %d characters, %d at most", len(name), MaxEventName)
	}
	for i := range len(name) {
		if c := name[i]; !nameByte[c] || c == '@' || c == '=' {
			return Errorf(BadRequest, "character %s of event name %s is not one of A-Z a-z 0-9 _ . : -", ordinal(i+1), Quote(name))
		}
	}
	return nil
}

// CheckKey returns nil when key may be an idempotency key: at most 256 bytes
// of printable ASCII, or empty for none.
func CheckKey(key string) error {
	if len(key) > MaxKey {
		return Errorf(BadRequest, "the idempotency key has %d bytes, %d at most", len(key), MaxKey)
	}
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return Errorf(BadRequest, "byte %d of the idempotency key is not printable ASCII", i+1)
		}
	}
	return nil
}

// Quote returns s safe for logs, terminals and error messages: quoted, cut
// at 64 characters, with control and format characters escaped.
func Quote(s string) string {
	cut := ""
	if r := []rune(s); len(r) > 64 {
		s, cut = string(r[:64]), "…"
	}
	return fmt.Sprintf("%+q", s) + cut
}

// Pattern is an exact name or, with a trailing *, a prefix.
type Pattern string

// Match reports whether the pattern covers name.
func (p Pattern) Match(name string) bool {
	if prefix, ok := strings.CutSuffix(string(p), "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return string(p) == name
}

// Check returns nil when the pattern could match a channel name.
func (p Pattern) Check() error {
	name := strings.TrimSuffix(string(p), "*")
	if name == "" && p != "" {
		return nil
	}
	return CheckChannel(name)
}

var nameByte = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:@=") {
		t[c] = true
	}
	return t
}()

func ordinal(n int) string { return fmt.Sprintf("#%d", n) }
