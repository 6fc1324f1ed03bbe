package auth

import (
	"encoding/json"
	"fmt"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// snapshot is Revocations on disk. Times are milliseconds since 1970; 0 for
// a token means that it never ends.
type snapshot struct {
	Users  map[string]int64 `json:"users"`
	Tokens map[string]int64 `json:"tokens"`
}

// Snapshot returns all revocations as JSON, to be kept and restored. The same
// revocations are the same text.
func (r *Revocations) Snapshot() []byte {
	s := snapshot{Users: map[string]int64{}, Tokens: map[string]int64{}}
	r.mu.Lock()
	r.forgetTokensLocked()
	for user, at := range r.users {
		s.Users[user] = at.UnixMilli()
	}
	for token, until := range r.tokens {
		s.Tokens[token] = 0
		if !until.IsZero() {
			s.Tokens[token] = until.UnixMilli()
		}
	}
	r.mu.Unlock()
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // maps of names to numbers can always be written
	}
	return text
}

// Restore adds the revocations of a snapshot to those there are. A snapshot
// that is damaged is an error and changes nothing.
func (r *Revocations) Restore(text []byte) error {
	s, err := parseSnapshot(text)
	if err != nil {
		return fmt.Errorf("read the revocations: %w", err)
	}
	for user, at := range s.Users {
		if err := r.RevokeUser(user, time.UnixMilli(at)); err != nil {
			return err
		}
	}
	for token, until := range s.Tokens {
		var ends time.Time
		if until != 0 {
			ends = time.UnixMilli(until)
		}
		if err := r.RevokeToken(token, ends); err != nil {
			return err
		}
	}
	return nil
}

func parseSnapshot(text []byte) (s snapshot, err error) {
	if err := wire.CheckJSON(text); err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, err
	}
	if s.Users == nil || s.Tokens == nil {
		return s, fmt.Errorf("users or tokens are missing")
	}
	if n := max(len(s.Users), len(s.Tokens)); n > MaxRevoked {
		return s, fmt.Errorf("there are %d entries, %d at most", n, MaxRevoked)
	}
	for user := range s.Users {
		if err := CheckUser(user); err != nil {
			return s, err
		}
	}
	for token := range s.Tokens {
		if !validName(token) {
			return s, fmt.Errorf("%s names no token", wire.Quote(token))
		}
	}
	return s, nil
}
