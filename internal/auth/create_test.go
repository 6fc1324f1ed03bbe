package auth

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

func TestCreateToken_MakesWhatVerifyReads(t *testing.T) {
	token, err := CreateToken(secret, Claims{
		User: "ann", Issuer: "shop", Audience: "holdfast", Issued: start.Add(time.Millisecond), Expires: start.Add(time.Hour),
		Channels: []wire.Pattern{"news", "chat-*"}, Publish: []wire.Pattern{"*"},
	})
	if err != nil {
		t.Fatal(err)
	}
	v := verifier(t, TokenConfig{Secrets: []string{secret}, Issuer: "shop", Audience: "holdfast"})
	got, err := v.Verify(t.Context(), token)
	want := Grant{
		User: "ann", Token: got.Token, Issued: start, Expires: start.Add(time.Hour),
		Channels: []wire.Pattern{"news", "chat-*"}, Publish: []wire.Pattern{"*"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestCreateToken_RefusesWhatVerifyWould(t *testing.T) {
	good := Claims{Issued: start, Expires: start.Add(time.Hour)}
	with := func(change func(*Claims)) Claims {
		c := good
		change(&c)
		return c
	}
	for _, c := range []struct {
		secret string
		claims Claims
		words  string
	}{
		{"short", good, "openssl rand -hex 32"},
		{secret, Claims{Issued: start}, "must end"},
		{secret, Claims{Issued: start, Expires: start}, "must end"},
		{secret, with(func(c *Claims) { c.User = "a b" }), `sub is "a b"`},
		{secret, with(func(c *Claims) { c.Channels = []wire.Pattern{"a", ""} }), "no pattern"},
		{secret, with(func(c *Claims) { c.Publish = []wire.Pattern{"a/b"} }), "no pattern"},
		{secret, with(func(c *Claims) { c.Expires = start.AddDate(9000, 0, 0) }), "out of range"},
		{secret, with(func(c *Claims) { c.Channels = make([]wire.Pattern, 900) }), "no pattern"},
		{secret, with(func(c *Claims) { c.Issuer = strings.Repeat("a", MaxToken) }), "8192 at most"},
	} {
		if _, err := CreateToken(c.secret, c.claims); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v does not say %q", err, c.words)
		}
	}
}
