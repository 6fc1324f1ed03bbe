package auth

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// name returns the nth name of a token.
func name(n int) string { return fmt.Sprintf("%032x", n) }

func TestRevocations_AUsersTokensEndUpToTheMoment(t *testing.T) {
	var r Revocations
	if err := r.RevokeUser("ann", start.Add(300*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		grant   Grant
		revoked bool
	}{
		{Grant{User: "ann", Issued: start.Add(-time.Hour)}, true},
		{Grant{User: "ann", Issued: start}, true},
		{Grant{User: "ann"}, true},
		{Grant{User: "ann", Issued: start.Add(time.Second)}, false},
		{Grant{User: "bob", Issued: start.Add(-time.Hour)}, false},
		{Grant{Issued: start.Add(-time.Hour)}, false},
	} {
		if got := r.Revoked(c.grant); got != c.revoked {
			t.Errorf("%+v: %t", c.grant, got)
		}
	}
	if err := r.RevokeUser("ann", start.Add(-time.Hour)); err != nil || !r.Revoked(Grant{User: "ann", Issued: start}) {
		t.Errorf("an earlier revocation takes back a later one: %v", err)
	}
	if err := r.RevokeUser("ann", start.Add(time.Hour)); err != nil || !r.Revoked(Grant{User: "ann", Issued: start.Add(time.Hour)}) {
		t.Errorf("a later revocation does not count: %v", err)
	}
}

func TestRevocations_ATokenStaysRevokedAsLongAsItCouldCount(t *testing.T) {
	now := start
	r := Revocations{Now: func() time.Time { return now }}
	for n, until := range []time.Time{start.Add(time.Hour), start.Add(2 * time.Hour), {}} {
		if err := r.RevokeToken(name(n), until); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		after time.Duration
		left  int
	}{{time.Hour + Leeway - 1, 3}, {time.Hour + Leeway, 2}, {2*time.Hour + Leeway, 1}, {1e6 * time.Hour, 1}} {
		now = start.Add(c.after)
		if _, tokens := r.Len(); tokens != c.left {
			t.Errorf("after %s, %d are left, want %d", c.after, tokens, c.left)
		}
	}
	if !r.Revoked(Grant{Token: name(2)}) || r.Revoked(Grant{Token: name(0)}) || r.Revoked(Grant{}) {
		t.Error("the wrong one is left")
	}
}

func TestRevocations_AreBoundedAndSayWhenFull(t *testing.T) {
	now := start
	r := Revocations{Now: func() time.Time { return now }}
	for n := range MaxRevoked {
		if err := errors.Join(r.RevokeUser(fmt.Sprint("u", n), start), r.RevokeToken(name(n), start.Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	wantFull := func(err error) {
		t.Helper()
		if refusal, ok := errors.AsType[*wire.Error](err); !ok || refusal.Code != wire.Full {
			t.Errorf("one more: %v", err)
		}
	}
	wantFull(r.RevokeUser("one-more", start))
	wantFull(r.RevokeToken(name(MaxRevoked), start.Add(time.Hour)))
	if err := errors.Join(r.RevokeUser("u7", start.Add(time.Minute)), r.RevokeToken(name(7), start.Add(time.Hour))); err != nil {
		t.Errorf("those that are known: %v", err)
	}
	now = start.Add(UserKept)
	wantFull(r.RevokeUser("one-more", now))
	if !r.Revoked(Grant{User: "u0"}) {
		t.Error("a user was forgotten too soon")
	}
	now = start.Add(UserKept + 1)
	if err := errors.Join(r.RevokeUser("one-more", now), r.RevokeToken(name(MaxRevoked), now)); err != nil {
		t.Error(err)
	}
	users, tokens := r.Len()
	if users != 2 || tokens != 1 { // u7 was revoked a minute later
		t.Errorf("%d users and %d tokens are left", users, tokens)
	}
}

func TestRevocations_RefuseWhatIsNeitherUserNorToken(t *testing.T) {
	var r Revocations
	for _, err := range []error{
		r.RevokeUser("", start), r.RevokeUser("a b", start), r.RevokeUser(strings.Repeat("a", 196), start),
		r.RevokeToken("", start), r.RevokeToken(strings.Repeat("A", 32), start), r.RevokeToken(name(1)+"0", start),
	} {
		if refusal, ok := errors.AsType[*wire.Error](err); !ok || refusal.Code != wire.BadRequest {
			t.Errorf("got %v", err)
		}
	}
}

func TestRevocations_SurviveARestart(t *testing.T) {
	clock := func() time.Time { return start }
	r := Revocations{Now: clock}
	for _, err := range []error{
		r.RevokeUser("ann", start.Add(time.Millisecond)), r.RevokeUser("bob", start),
		r.RevokeToken(name(1), start.Add(time.Hour)), r.RevokeToken(name(2), time.Time{}), r.RevokeToken(name(3), start.Add(-time.Hour)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	text := r.Snapshot()
	restored := Revocations{Now: clock}
	if err := errors.Join(restored.RevokeUser("ann", start.Add(time.Hour)), restored.Restore(text)); err != nil {
		t.Fatal(err)
	}
	if users, tokens := restored.Len(); users != 2 || tokens != 2 {
		t.Errorf("%d users, %d tokens", users, tokens)
	}
	if !restored.Revoked(Grant{User: "ann", Issued: start.Add(time.Hour)}) || !restored.Revoked(Grant{Token: name(2)}) {
		t.Error("a revocation was lost")
	}
	again := Revocations{Now: clock}
	if err := again.Restore(text); err != nil || !bytes.Equal(again.Snapshot(), text) {
		t.Errorf("%v\n%s\n%s", err, text, again.Snapshot())
	}
}

func TestRevocations_ADamagedSnapshotChangesNothing(t *testing.T) {
	whole := Revocations{Now: func() time.Time { return start }}
	if err := errors.Join(whole.RevokeUser("ann", start), whole.RevokeToken(name(1), time.Time{})); err != nil {
		t.Fatal(err)
	}
	text := string(whole.Snapshot())
	damaged := []string{
		"", "null", "[]", "{}", `{"users":{}}`, text + "x", `{"users":{"a b":1},"tokens":{}}`, `{"users":{"":1},"tokens":{}}`,
		`{"users":{"ann":1},"tokens":{"x":1}}`, `{"users":{"ann":"x"},"tokens":{}}`, `{"users":{"ann":1e300},"tokens":{}}`,
	}
	for n := range text {
		damaged = append(damaged, text[:n])
	}
	for _, text := range damaged {
		var r Revocations
		if err := r.Restore([]byte(text)); err == nil {
			t.Errorf("%s is taken", text)
		}
		if users, tokens := r.Len(); users+tokens > 0 {
			t.Errorf("%s leaves %d users and %d tokens", text, users, tokens)
		}
	}
}

func TestRevocations_MayBeUsedByManyAtOnce(t *testing.T) {
	var r Revocations
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 200 {
				user := fmt.Sprintf("u%d-%d", n, i)
				if err := errors.Join(r.RevokeUser(user, start), r.RevokeToken(name(n*1000+i), time.Time{})); err != nil {
					t.Error(err)
				}
				if !r.Revoked(Grant{User: user}) {
					t.Errorf("%s is not revoked", user)
				}
				if i%50 == 0 {
					r.Snapshot()
				}
			}
		})
	}
	wg.Wait()
	if users, tokens := r.Len(); users != 1600 || tokens != 1600 {
		t.Errorf("%d users, %d tokens", users, tokens)
	}
}

func FuzzRestore(f *testing.F) {
	f.Add([]byte(`{"users":{"ann":1798898400000},"tokens":{"000102030405060708090a0b0c0d0e0f":0}}`))
	f.Add([]byte(`{"users":{},"tokens":{},"Users":{"ann":-1}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := Revocations{Now: func() time.Time { return start }}
		if r.Restore(text) != nil {
			return
		}
		again := Revocations{Now: r.Now}
		if err := again.Restore(r.Snapshot()); err != nil {
			t.Fatalf("its own snapshot is refused: %v", err)
		}
		if !reflect.DeepEqual(again.Snapshot(), r.Snapshot()) {
			t.Error("two snapshots of the same differ")
		}
	})
}
