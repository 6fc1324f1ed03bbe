package config

import (
	"reflect"
	"regexp"
	"testing"
)

// samples has an allowed value for each setting that is not its default.
var samples = map[string]string{
	"listen": "127.0.0.1:9000", "config": "x.yaml", "api-key": "0123456789abcdef", "insecure": "true",
	"allow-origin": "https://example.com", "allow-host": "example.com", "client-publish": "chat-*",
	"tls-cert": "cert.pem", "tls-key": "key.pem", "drain-limit": "10m", "drain-log-every": "5s",
	"drain-announce": "15s", "drain-invite": "true", "drain-max-rate": "100",
	"heartbeat": "30s", "max-sessions": "5", "max-connect-rate": "5", "max-subscriptions": "5",
	"max-lag": "2MiB", "max-frame": "32KiB", "max-message": "2MiB", "compression": "false",
	"log-format": "json", "log-level": "debug", "debug-listen": "127.0.0.1:6060",
	"trusted-proxy": "10.0.0.0/8", "proxy-protocol": "true", "anonymous": "news-*",
	"jwt-secret": "0123456789abcdef0123456789abcdef", "jwt-public-key": "key.pem", "jwks-url": "https://example.com/jwks.json",
	"jwt-audience": "app", "jwt-issuer": "https://example.com/", "jwt-allow-no-expiry": "true",
	"data": "/var/lib/holdfast", "durability": "sync", "history-messages": "0", "history-age": "1h", "history-bytes": "1MiB",
	"max-history": "1GiB", "presence": "room-*", "presence-linger": "0",
	"max-sessions-per-address": "5", "max-sessions-per-user": "5", "max-frame-rate": "5", "max-publish-rate": "5", "slow-clients": "skip",
}

func TestSettings_AreTheFieldsOfConfig(t *testing.T) {
	bound := map[string]string{"Schedules": "schedules", "History": "history"}
	for _, s := range Settings() {
		if s.FileOnly {
			continue
		}
		sample, ok := samples[s.Name]
		if !ok {
			t.Errorf("%s has no sample here", s.Name)
			continue
		}
		c := Default()
		if err := s.field.set(&c, []string{sample}); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if got := s.field.texts(&c); len(got) != 1 || got[0] != sample {
			t.Errorf("%s: written %q, read %q", s.Name, sample, got)
		}
		was, is := reflect.ValueOf(Default()), reflect.ValueOf(c)
		changed := 0
		for i := range is.NumField() {
			if is.Type().Field(i).IsExported() && !reflect.DeepEqual(was.Field(i).Interface(), is.Field(i).Interface()) {
				bound[is.Type().Field(i).Name] = s.Name
				changed++
			}
		}
		if changed != 1 {
			t.Errorf("%s writes %d fields of Config", s.Name, changed)
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		if f.IsExported() && bound[f.Name] == "" {
			t.Errorf("Config.%s has no setting", f.Name)
		}
	}
}

func TestSettings_NamesMakeFlagsVariablesAndKeys(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Settings() {
		if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(s.Name) || seen[s.Name] {
			t.Errorf("name %q", s.Name)
		}
		seen[s.Name] = true
		if serviceLink.MatchString(s.Variable()) {
			t.Errorf("%s could be set by Kubernetes", s.Variable())
		}
		if s.Help == "" || len(s.Help) > 43 {
			t.Errorf("%s: the help %q does not fit a line", s.Name, s.Help)
		}
	}
}

func TestSettings_HoldTheirBounds(t *testing.T) {
	refused := map[string][]string{
		"listen":            {"", "8000", "localhost", "a:b", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80"},
		"api-key":           {"", "0123456789abcde", "0123456789 abcdef", "0123456789abcdefé", "0123456789,abcdef"},
		"insecure":          {"", "yes", "2"},
		"allow-origin":      {"", "*", "null", "example.com", "ftp://example.com", "https://example.com/x", "https://a@example.com", "https://*.example.com", "https://example.com?x"},
		"allow-host":        {"", "*", "https://example.com", "example.com:80", "a b", "a/b", "exämple.com"},
		"client-publish":    {"", "a b", "a*b", "**"},
		"drain-limit":       {"", "0", "999ms", "8d", "169h", "-1m", "30"},
		"drain-log-every":   {"-1s", "1ms", "2h"},
		"drain-announce":    {"", "-1s", "1us", "11m"},
		"drain-invite":      {"", "maybe"},
		"drain-max-rate":    {"", "0", "1000001"},
		"heartbeat":         {"0", "0s", "11m"},
		"max-sessions":      {"-1", "1e3", "10000001", "1_000"},
		"max-connect-rate":  {"0"},
		"max-subscriptions": {"0"},
		"max-lag":           {"0B", "1", "1MB", "-1MiB", "9999999999GiB", "99999999999999999999B", "2GiB", "1KiB"},
		"max-frame":         {"1023B"},
		"max-message":       {"65MiB"},
		"log-format":        {"", "xml", "JSON"},
		"log-level":         {"", "loud", "warn+1"},
		"debug-listen":      {":6060", "192.168.0.1:6060", "6060"},
		"trusted-proxy":     {"", "*", "proxy.example.com", "10.0.0.1/8", "0.0.0.0/0", "::/0", "::ffff:10.0.0.0/104", "fe80::1%eth0", "10.0.0.0/33"},
		"anonymous":         {"", "a b", "a*b", "**"},
		"presence":          {"", "a b", "a*b"},
		"jwt-secret":        {"", "0123456789abcdef0123456789abcde"},
		"jwt-public-key":    {""},
		"jwks-url":          {"example.com", "http://example.com/jwks", "https://", "ftp://127.0.0.1/", "https://a:b@example.com/", "https://example.com/#x", "http://127.0.0.1.evil.com/"},
		"jwt-audience":      {" app", "app\n"},
		"durability":        {"", "always"},
		"history-messages":  {"-1", "1000001", "all"},
		"history-age":       {"0", "999ms", "721h"},
		"history-bytes":     {"0B", "4095B", "65GiB"},
		"max-history":       {"0B", "1023KiB"},
		"presence-linger":   {"-1s", "11m"},
		"max-frame-rate":    {"0"},
		"max-publish-rate":  {"-1"},
		"slow-clients":      {"", "drop"},
	}
	for name, values := range refused {
		s, ok := lookup(name)
		if !ok {
			t.Fatalf("no setting %s", name)
		}
		for _, v := range values {
			if err := s.field.check(v); err == nil {
				t.Errorf("%s: %q was accepted", name, v)
			}
		}
	}
}
