package node

import (
	"context"
	"net/http"
	"os"

	"holdfast.dev/holdfast/internal/auth"
	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/drain"
	"holdfast.dev/holdfast/internal/httpapi"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/metrics"
	"holdfast.dev/holdfast/internal/presence"
	"holdfast.dev/holdfast/internal/schedule"
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/transport"
	"holdfast.dev/holdfast/internal/wire"
)

// build makes all parts and binds the addresses. Nothing runs yet.
func (n *node) build(ctx context.Context) (err error) {
	n.hub = hub.New()
	if n.tokens, err = newTokens(n.cfg, n.logger); err != nil {
		return err
	}
	if err := n.buildCarrier(); err != nil {
		return err
	}
	if n.engine, n.disk, err = newEngine(n.cfg, n.hub, n.logger); err != nil {
		return err
	}
	if n.disk != nil {
		if err := n.tokens.restore(n.disk); err != nil {
			return err
		}
	}
	n.hub.Use(n.engine, n.carrier.Listeners())
	n.drainer = drain.NewRunner(n.drainConfig(), fleet{n.carrier}, n.logger)
	n.drainer.Undelivered = func() int { return int(n.carrier.Totals().Undelivered) }
	n.rates = metrics.NewRates(n.hub.Published, func() uint64 { return n.carrier.Totals().Delivered })
	n.plans = make(chan *schedule.Runner, 1)
	n.plans <- n.plan(n.cfg)
	handler, err := n.buildHandler(n.cfg)
	if err != nil {
		return err
	}
	n.handler.set(handler)
	n.web = httpapi.Server(&n.handler, n.logger)
	if n.cfg.TLSCert != "" {
		if n.tls, err = loadCertificate(n.cfg.TLSCert, n.cfg.TLSKey); err != nil {
			return err
		}
	}
	if n.cfg.DebugListen != "" {
		if n.debug, err = newDebugServer(ctx, n.cfg.DebugListen); err != nil {
			return err
		}
	}
	n.listener, err = transport.Listen(ctx, n.cfg.Listen, n.logger)
	return err
}

func (n *node) buildCarrier() (err error) {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "holdfast"
	}
	n.policy = &session.Policy{
		Node: host, Version: n.opts.Version, Heartbeat: n.cfg.Heartbeat,
		MaxFrame: int(n.cfg.MaxFrame), MaxSubscriptions: n.cfg.MaxSubscriptions, MaxPage: int(n.cfg.MaxLag) / 2,
		FramesPerSecond: n.cfg.MaxFrameRate, FrameBurst: 2 * n.cfg.MaxFrameRate,
		Anonymous: n.cfg.OpenChannels(), ClientPublish: n.cfg.ClientPublish, Compress: n.cfg.Compression,
		Hub: n.hub, Verify: n.tokens.verify, Revoked: n.tokens.revoked,
	}
	if len(n.cfg.Presence) > 0 {
		n.roster = presence.New(n.cfg.Presence, n.cfg.PresenceLinger, func(channel string, frame []byte) {
			n.hub.Tell(hub.PresenceOf(channel), frame)
		})
		n.policy.Presence = n.roster
	}
	limits := transport.Limits{MaxSessions: n.cfg.MaxSessions, MaxConnectRate: n.cfg.MaxConnectRate, MaxLag: int(n.cfg.MaxLag), SkipSlow: n.cfg.SlowClients == config.SlowSkip,
		PerAddress: n.cfg.MaxSessionsPerAddress, PerUser: n.cfg.MaxSessionsPerUser}
	if limits.MaxSessions == 0 {
		limits.MaxSessions = descriptors() - spareDescriptors
	}
	n.metrics = metrics.New(metrics.Sources{
		Version:       n.opts.Version,
		Sessions:      func() int { return n.carrier.Open() },
		MaxSessions:   func() int { return limits.MaxSessions },
		Refusals:      func() metrics.Refusals { return metrics.Refusals(n.carrier.Refusals()) },
		Accepted:      func() uint64 { return n.carrier.Totals().Accepted },
		Listened:      func() uint64 { return n.carrier.Totals().AcceptedEvents },
		Subscriptions: n.subscriptions,
		Channels:      n.hub.Count,
		Published:     n.hub.Published,
		Delivered:     func() uint64 { return n.carrier.Totals().Delivered },
		SentBytes:     func() uint64 { return n.carrier.Totals().Sent },
		HeldBytes:     func() int64 { return n.carrier.Held() },
		Scheduled:     n.scheduled,
		History:       n.history,
		Drain:         func() drain.Progress { return n.drainer.Progress() },
		Drained:       n.drained,
	})
	n.policy.CountRefusal = n.metrics.CountFrameRefusal
	n.carrier, err = transport.New(transport.Setup{Hub: n.hub, Policy: n.policy, Limits: limits, Logger: n.logger, Ended: n.metrics.CountClose})
	return err
}

const spareDescriptors = 64 // kept for listeners, publishers and probes

func (n *node) subscriptions() int { return max(0, n.hub.Members()-n.carrier.Open()) }

// buildHandler makes the HTTP interface as cfg wants it. What is counted and
// served behind it stays the same.
func (n *node) buildHandler(cfg config.Config) (http.Handler, error) {
	secrets := make([]string, len(cfg.APIKeys))
	for i, s := range cfg.APIKeys {
		secrets[i] = s.Reveal()
	}
	keys, err := auth.NewKeys(secrets...)
	if err != nil {
		return nil, err
	}
	return httpapi.New(httpapi.Deps{
		Publisher: n.hub, Channels: n.hub, History: n.hub, Presence: n.policy.Presence,
		Sessions: operator{n.carrier, n.tokens}, Door: door{n.carrier},
		Drain: n.drainer.Progress, Drainer: n.drainer, Stats: n.stats, Metrics: n.metrics.Handler(),
		CountRefusal: n.metrics.CountRefusal, ObservePublish: n.metrics.ObservePublish, Logger: n.logger,
		CountRequestRefusal: n.metrics.CountRequestRefusal, CountThrottled: n.metrics.CountThrottled,
		Version: n.opts.Version, Started: n.started,
		Admission: httpapi.Admission{Anonymous: n.policy.Anonymous, Verify: n.policy.Verify, MaySubscribe: n.policy.MaySubscribe},
		Keys:      keys, Insecure: cfg.Insecure, Listen: cfg.Listen,
		AllowOrigins: cfg.AllowOrigins, AllowHosts: cfg.AllowHosts,
		TrustedProxies: cfg.TrustedProxies, MaxPublishRate: cfg.MaxPublishRate,
		MaxMessage: int(cfg.MaxMessage), Compression: cfg.Compression,
	}), nil
}

func (n *node) stats() httpapi.Stats {
	return httpapi.Stats{
		Sessions: n.carrier.Open(), Channels: n.hub.Count(), Subscriptions: n.subscriptions(),
		Published: n.hub.Published(), Delivered: n.carrier.Totals().Delivered,
		PublishedPerSec: n.rates.PerSecond(0), DeliveredPerSec: n.rates.PerSecond(1),
	}
}

// door lets clients onto the loops.
type door struct{ *transport.Server }

// Upgrade implements httpapi.Door.
func (d door) Upgrade(w http.ResponseWriter, r *http.Request, c httpapi.Newcomer) *wire.Error {
	return d.Server.Upgrade(w, r, transport.Request(c))
}
