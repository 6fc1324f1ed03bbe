package config

import (
	"log/slog"
	"net/netip"
	"time"
)

func servingSettings() []Setting {
	return []Setting{
		{Name: "listen", Default: "127.0.0.1:8000",
			Help:  "address to serve on",
			field: address(func(c *Config) *string { return &c.Listen }, checkAddress)},
		{Name: "config", NoFile: true,
			Help:  "YAML file with settings and schedules",
			field: path("FILE", func(c *Config) *string { return &c.ConfigFile })},
		{Name: "tls-cert", Reloadable: true,
			Help:  "certificate chain, PEM; serves TLS",
			field: path("FILE", func(c *Config) *string { return &c.TLSCert })},
		{Name: "tls-key", Reloadable: true,
			Help:  "the certificate's private key, PEM",
			field: path("FILE", func(c *Config) *string { return &c.TLSKey })},
		{Name: "trusted-proxy",
			Help:  "proxy whose word on addresses counts",
			field: several("ADDRESS", func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }, parsePrefix, formatPrefix)},
		{Name: "proxy-protocol", Default: "false",
			Help:  "trusted proxies speak PROXY protocol",
			field: toggle(func(c *Config) *bool { return &c.ProxyProtocol })},
		{Name: "heartbeat", Default: "25s",
			Help:  "how often clients are pinged",
			field: duration(func(c *Config) *time.Duration { return &c.Heartbeat }, time.Second, 10*time.Minute)},
		{Name: "compression", Default: "true",
			Help:  "offer permessage-deflate",
			field: toggle(func(c *Config) *bool { return &c.Compression })},
	}
}

func stoppingSettings() []Setting {
	return []Setting{
		{Name: "drain-limit", Default: "30m",
			Help:  "how long a stop waits for clients",
			field: duration(func(c *Config) *time.Duration { return &c.DrainLimit }, time.Second, 7*24*time.Hour)},
		{Name: "drain-announce", Default: "5s",
			Help:  "newcomers let in at first; 0 on a terminal",
			field: durationOrZero(func(c *Config) *time.Duration { return &c.DrainAnnounce }, time.Millisecond, 10*time.Minute)},
		{Name: "drain-invite", Default: "false",
			Help:  "tell clients when to move elsewhere",
			field: toggle(func(c *Config) *bool { return &c.DrainInvite })},
		{Name: "drain-max-rate", Default: "500",
			Help:  "clients closed a second before the limit",
			field: number(func(c *Config) *int { return &c.DrainMaxRate }, 1, 1_000_000)},
		{Name: "drain-log-every", Default: "0",
			Help:  "fixed interval of drain lines; 0: varies",
			field: durationOrZero(func(c *Config) *time.Duration { return &c.DrainLogEvery }, time.Second, time.Hour)},
	}
}

func limitSettings() []Setting {
	return []Setting{
		{Name: "max-sessions", Default: "0",
			Help:  "clients at once; 0: descriptors less 64",
			field: number(func(c *Config) *int { return &c.MaxSessions }, 0, 10_000_000)},
		{Name: "max-sessions-per-address", Default: "0",
			Help:  "clients of one address; 0: any",
			field: number(func(c *Config) *int { return &c.MaxSessionsPerAddress }, 0, 10_000_000)},
		{Name: "max-sessions-per-user", Default: "0",
			Help:  "clients of one user; 0: any",
			field: number(func(c *Config) *int { return &c.MaxSessionsPerUser }, 0, 10_000_000)},
		{Name: "max-connect-rate", Default: "10000",
			Help:  "new connections a second",
			field: number(func(c *Config) *int { return &c.MaxConnectRate }, 1, 1_000_000)},
		{Name: "max-subscriptions", Default: "1000",
			Help:  "channels of one client",
			field: number(func(c *Config) *int { return &c.MaxSubscriptions }, 1, 1_000_000)},
		{Name: "max-frame-rate", Default: "100",
			Help:  "frames a second from one client",
			field: number(func(c *Config) *int { return &c.MaxFrameRate }, 1, 1_000_000)},
		{Name: "max-publish-rate", Default: "0",
			Help:  "messages a second by one key; 0: any",
			field: number(func(c *Config) *int { return &c.MaxPublishRate }, 0, 10_000_000)},
		{Name: "max-lag", Default: "1MiB",
			Help:  "bytes a client may be behind",
			field: size(func(c *Config) *Size { return &c.MaxLag }, 4*KiB, GiB)},
		{Name: "slow-clients", Default: string(SlowClose),
			Help:  "close or skip those who lag more",
			field: choice("WHAT", func(c *Config) *SlowClients { return &c.SlowClients }, SlowClose, SlowSkip)},
		{Name: "max-frame", Default: "64KiB",
			Help:  "longest message from a client",
			field: size(func(c *Config) *Size { return &c.MaxFrame }, KiB, 64*MiB)},
		{Name: "max-message", Default: "1MiB",
			Help:  "longest message published over HTTP",
			field: size(func(c *Config) *Size { return &c.MaxMessage }, KiB, 64*MiB)},
	}
}

func logSettings() []Setting {
	return []Setting{
		{Name: "log-format", Default: string(LogAuto),
			Help:  "auto, text or json",
			field: choice("FORMAT", func(c *Config) *LogFormat { return &c.LogFormat }, LogAuto, LogText, LogJSON)},
		{Name: "log-level", Default: "info", Reloadable: true,
			Help:  "debug, info, warn or error",
			field: logLevel(func(c *Config) *slog.Level { return &c.LogLevel })},
		{Name: "debug-listen",
			Help:  "loopback address that serves pprof",
			field: address(func(c *Config) *string { return &c.DebugListen }, checkLoopback)},
	}
}
