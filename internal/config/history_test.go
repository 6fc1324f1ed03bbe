package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestHistory_TheFirstRuleThatFitsCountsAndTheRestIsAsForAll(t *testing.T) {
	l := Loader{
		Flags:   map[string][]string{"config": {"holdfast.yaml"}, "history-age": {"2h"}},
		Environ: []string{"HOLDFAST_HISTORY_BYTES=1MiB"},
		ReadFile: func(string) ([]byte, error) {
			return []byte(`
history:
  - {channels: "prices:*", messages: 1}
  - channels: audit
    messages: 100000
    age: 720h
    bytes: 1GiB
  - {channels: "chat-*", messages: 0}
  - {channels: "*", messages: 50, age: 1h}
history-messages: 7
`), nil
		},
	}
	c, _, err := l.Load()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]HistoryRule{
		"prices:eur": {"prices:*", 1, 2 * time.Hour, MiB},
		"audit":      {"audit", 100000, 720 * time.Hour, GiB},
		"audit2":     {"*", 50, time.Hour, MiB},
		"chat-1":     {"chat-*", 0, 2 * time.Hour, MiB},
	}
	for name, rule := range want {
		if got := c.HistoryFor(name); got != rule {
			t.Errorf("%s keeps %+v, want %+v", name, got, rule)
		}
	}
	if got, want := Default().HistoryFor("x"), (HistoryRule{"*", 100, 10 * time.Minute, 16 * MiB}); got != want {
		t.Errorf("by default a channel keeps %+v", got)
	}
	s, _ := lookup("history")
	if got := s.Text(&c); got != "prices:* 1 messages for 2h in 1MiB, audit 100000 messages for 720h in 1GiB, chat-* none, * 50 messages for 1h in 1MiB" {
		t.Errorf("listed as %s", got)
	}
	if c.Origin("history").Line != 2 {
		t.Errorf("origin %s", c.Origin("history"))
	}
}

func TestHistory_NoRulesIsNoRules(t *testing.T) {
	for _, content := range []string{"", "history:", "history: []"} {
		if c, _, err := loadFile(content); err != nil || c.History != nil {
			t.Errorf("%q: %v, %v", content, c.History, err)
		}
	}
}

func TestRules_SettingsThatNeedEachOther(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	tests := []struct {
		content, fault string
	}{
		{"durability: sync", "holdfast.yaml:1: durability: sync needs a folder"},
		{"durability: sync\ndata: /var/lib/holdfast", ""},
		{"durability: async", ""},
		{"proxy-protocol: true", "holdfast.yaml:1: proxy-protocol: whose PROXY protocol counts"},
		{"proxy-protocol: true\ntrusted-proxy: [10.0.0.7, 192.168.0.0/16, \"fd00::/8\"]", ""},
		{"proxy-protocol: true\ntrusted-proxy: 0.0.0.0/0", "would let every client choose"},
		{"jwt-audience: app", "holdfast.yaml:1: jwt-audience: no token can be checked without a key"},
		{"jwt-issuer: me\njwt-allow-no-expiry: true", "holdfast.yaml:2: jwt-allow-no-expiry: no token"},
		{"jwt-audience: app\njwt-secret: " + secret, ""},
		{"jwt-audience: app\njwt-secret: short", "a secret of 5 bytes"},
		{"jwt-issuer: me\njwt-public-key: key.pem", ""},
		{"jwt-issuer: me\njwks-url: http://127.0.0.1:9000/jwks.json", ""},
		{"jwks-url: http://example.com/jwks.json", "use https"},
	}
	for _, test := range tests {
		_, _, err := loadFile(test.content)
		switch {
		case test.fault == "" && err != nil:
			t.Errorf("%q: %v", test.content, err)
		case test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)):
			t.Errorf("%q: %v, want %q", test.content, err, test.fault)
		}
	}
}

func TestBind_ATokenKeyIsNoAPIKey(t *testing.T) {
	c := Default()
	c.Listen, c.JWTSecrets = ":8000", []Secret{NewSecret("0123456789abcdef0123456789abcdef")}
	if c.Validate() == nil {
		t.Error("/v1 is open to others when only tokens have a key")
	}
}

func TestReloaded_TokensAreNeitherSwitchedOnNorOff(t *testing.T) {
	const one, two = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	with := func(jwks string, secrets ...string) Config {
		c := Default()
		c.JWKSURL = jwks
		for _, s := range secrets {
			c.JWTSecrets = append(c.JWTSecrets, NewSecret(s))
		}
		return c
	}
	const url = "https://example.com/jwks.json"
	tests := []struct {
		name      string
		old, next Config
		takes     bool
	}{
		{"rotated", with("", one), with("", two, one), true},
		{"switched on", with(""), with("", one), false},
		{"switched off", with("", one), with(""), false},
		{"off, since the URL needs a restart", with("", one), with(url), false},
		{"a secret besides the URL", with(url), with(url, one), true},
		{"the URL's restart is to come", with(url, one), with("", two), true},
	}
	for _, test := range tests {
		got := test.old.Reloaded(test.next)
		if took := reflect.DeepEqual(got.JWTSecrets, test.next.JWTSecrets); took != test.takes {
			t.Errorf("%s: takes over is %t, want %t", test.name, took, test.takes)
		}
		if got.Tokens() != test.old.Tokens() {
			t.Errorf("%s: tokens are checked: %t, then %t", test.name, test.old.Tokens(), got.Tokens())
		}
		for _, c := range Changes(test.old, test.next) {
			if c.Name == "jwt-secret" && c.Reloadable != test.takes {
				t.Errorf("%s: said as %s", test.name, c)
			}
			if strings.Contains(c.String(), one) || strings.Contains(c.String(), two) {
				t.Errorf("%s: a secret is shown", test.name)
			}
		}
	}
}
