package auth

import (
	"maps"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// MaxRevoked bounds how many users, and how many tokens, may be revoked at
// once.
const MaxRevoked = 100_000

// UserKept is how long the revocation of a user is kept at least. Tokens of
// theirs that live longer than that may count again once room is needed.
const UserKept = 366 * 24 * time.Hour

// Revocations remembers which tokens no longer count although they have not
// ended. The zero value has none and is ready for use, by many goroutines at
// once.
//
// The revocation of a token goes when the token would have ended. That of a
// user has no such moment, since nobody knows how long their tokens live: it
// stays, until MaxRevoked others stand beside it and it is older than
// UserKept.
type Revocations struct {
	// Now is the clock; time.Now when nil. It is not to be changed once in
	// use.
	Now func() time.Time

	mu     sync.RWMutex
	users  map[string]time.Time // tokens issued until then
	tokens map[string]time.Time // when the token ends; zero for never
}

// RevokeUser revokes all tokens of the user issued up to at, to the second,
// and those that do not say when they were issued. It changes nothing for
// tokens issued later. An error, wire.Full, says that no more can be
// remembered.
func (r *Revocations) RevokeUser(user string, at time.Time) error {
	if err := CheckUser(user); err != nil {
		return wire.Errorf(wire.BadRequest, "no token names such a user: %v", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if before, known := r.users[user]; known {
		if at.After(before) {
			r.users[user] = at
		}
		return nil
	}
	if len(r.users) >= MaxRevoked {
		now := r.now()
		maps.DeleteFunc(r.users, func(_ string, at time.Time) bool { return now.Sub(at) > UserKept })
		if len(r.users) >= MaxRevoked {
			return full("users")
		}
	}
	if r.users == nil {
		r.users = make(map[string]time.Time)
	}
	r.users[user] = at
	return nil
}

// RevokeToken revokes one token, named as in Grant.Token. until is when it
// ends (Grant.Expires), zero for never. An error, wire.Full, says that no more
// can be remembered.
func (r *Revocations) RevokeToken(token string, until time.Time) error {
	if !validName(token) {
		return wire.Errorf(wire.BadRequest, "%s names no token", wire.Quote(token))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.tokens[token]; !known && len(r.tokens) >= MaxRevoked {
		r.forgetTokensLocked()
		if len(r.tokens) >= MaxRevoked {
			return full("tokens")
		}
	}
	if r.tokens == nil {
		r.tokens = make(map[string]time.Time)
	}
	r.tokens[token] = until
	return nil
}

// Revoked reports whether the token behind the grant no longer counts.
func (r *Revocations) Revoked(g Grant) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if _, revoked := r.tokens[g.Token]; revoked {
		return true
	}
	at, revoked := r.users[g.User]
	return revoked && !g.Issued.After(at)
}

// Len returns how many users and tokens are revoked, tokens that have ended
// left out.
func (r *Revocations) Len() (users, tokens int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgetTokensLocked()
	return len(r.users), len(r.tokens)
}

// forgetTokensLocked forgets the tokens that no Verifier lets in any more.
func (r *Revocations) forgetTokensLocked() {
	now := r.now()
	maps.DeleteFunc(r.tokens, func(_ string, until time.Time) bool {
		return !until.IsZero() && !now.Before(until.Add(Leeway))
	})
}

func (r *Revocations) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}

func full(what string) error {
	return wire.Errorf(wire.Full, "%d %s are revoked already and no more can be remembered; change the key that signs tokens, which ends them all", MaxRevoked, what)
}

// validName reports whether text has the form of Grant.Token.
func validName(text string) bool {
	if len(text) != 2*tokenNameBytes {
		return false
	}
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
