package config

import (
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// TestReloaded_TakesWhatTheTableCallsReloadable changes every setting there
// is and looks which of them a reload takes over.
func TestReloaded_TakesWhatTheTableCallsReloadable(t *testing.T) {
	old := Default()
	old.TLSCert, old.TLSKey = "old.pem", "old.key"
	old.JWTPublicKeys = []string{"old.pem"}
	next := Config{
		Listen: "127.0.0.1:1", ConfigFile: "x", APIKeys: []Secret{NewSecret("0123456789abcdef")}, Insecure: true,
		AllowOrigins: []string{"https://x"}, AllowHosts: []string{"x"}, ClientPublish: []wire.Pattern{"x"},
		TLSCert: "new.pem", TLSKey: "new.key", DrainLimit: 1 * time.Second, DrainLogEvery: 2 * time.Second, DrainAnnounce: time.Second, DrainInvite: true, DrainMaxRate: 19, Heartbeat: 3 * time.Second,
		MaxSessions: 4, MaxConnectRate: 5, MaxSubscriptions: 6, MaxLag: 7 * MiB, MaxFrame: 8 * KiB, MaxMessage: 9 * KiB,
		LogFormat: LogJSON, LogLevel: slog.LevelWarn, DebugListen: "127.0.0.1:2",
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, ProxyProtocol: true, Anonymous: []wire.Pattern{"x"},
		JWTSecrets: []Secret{NewSecret("0123456789abcdef0123456789abcdef")}, JWTPublicKeys: []string{"x"}, JWKSURL: "https://x",
		JWTAudience: "x", JWTIssuer: "x", JWTAllowNoExpiry: true,
		Data: "x", Durability: DurabilitySync, HistoryMessages: 10, HistoryAge: 11 * time.Second, HistoryBytes: 12 * KiB, MaxHistory: 13 * MiB,
		History: []HistoryRule{{Channels: "x"}}, Presence: []wire.Pattern{"x"}, PresenceLinger: 14 * time.Second,
		MaxSessionsPerAddress: 15, MaxSessionsPerUser: 16, MaxFrameRate: 17, MaxPublishRate: 18, SlowClients: SlowSkip,
	}
	got := old.Reloaded(next)
	for i := range table {
		s := &table[i]
		if s.Name == "schedules" {
			continue
		}
		before, wanted, now := s.field.texts(&old), s.field.texts(&next), s.field.texts(&got)
		if slices.Equal(before, wanted) {
			t.Errorf("the test does not change %s", s.Name)
		}
		if s.Reloadable != slices.Equal(now, wanted) {
			t.Errorf("%s: reloadable is %v, but it went from %v to %v", s.Name, s.Reloadable, before, now)
		}
	}
	if len(got.Schedules) != 0 {
		t.Error("schedules were not taken over")
	}
}

func TestReloaded_CannotOpenAServerThatOthersReach(t *testing.T) {
	old := Default()
	old.Listen, old.APIKeys = ":8000", []Secret{NewSecret("0123456789abcdef")}
	next := Default() // fine by itself: loopback without a key
	if err := old.Reloaded(next).Validate(); err == nil {
		t.Error("a server that listens to everybody lost its key by a reload")
	}
}
