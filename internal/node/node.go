package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"holdfast.dev/holdfast/internal/auth"
	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/drain"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/httpapi"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/metrics"
	"holdfast.dev/holdfast/internal/schedule"
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/transport"
	"holdfast.dev/holdfast/internal/wire"
)

// node is the parts of one server.
type node struct {
	cfg      config.Config
	opts     Options
	logger   *slog.Logger
	started  time.Time
	hub      *hub.Hub
	engine   engine.Engine
	carrier  *transport.Server
	drainer  *drain.Runner
	tokens   *tokens
	policy   *session.Policy
	metrics  *metrics.Metrics
	rates    *metrics.Rates
	plans    chan *schedule.Runner // the schedules to run from now on
	running  atomic.Pointer[schedule.Runner]
	handler  swap
	web      *http.Server
	debug    *debugServer // nil without --debug-listen
	listener *transport.Listener
	tls      *certificate // nil without TLS
}

// Serve runs a server until it has drained and returns the exit code. An
// error means that it did not start.
func Serve(ctx context.Context, cfg config.Config, opts Options) (exit int, err error) {
	n := &node{cfg: cfg, opts: opts, logger: opts.Logger, started: time.Now()}
	if err := n.build(ctx); err != nil {
		return 1, err
	}
	return n.run(ctx)
}

// build makes all parts and binds the addresses. Nothing runs yet.
func (n *node) build(ctx context.Context) (err error) {
	n.hub = hub.New()
	if n.tokens, err = newTokens(n.cfg, n.logger); err != nil {
		return err
	}
	if err := n.buildCarrier(); err != nil {
		return err
	}
	n.engine = memory.New(n.hub)
	n.hub.Use(n.engine, n.carrier.Listeners())
	n.drainer = drain.NewRunner(drain.Config{Limit: n.cfg.DrainLimit, LogEvery: n.cfg.DrainLogEvery}, n.carrier, n.logger)
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
		Anonymous: anonymous(n.cfg), ClientPublish: n.cfg.ClientPublish, Compress: n.cfg.Compression,
		Hub: n.hub, Verify: n.tokens.verify(),
	}
	limits := transport.Limits{MaxSessions: n.cfg.MaxSessions, MaxConnectRate: n.cfg.MaxConnectRate, MaxLag: int(n.cfg.MaxLag), SkipSlow: n.cfg.SlowClients == config.SlowSkip}
	if limits.MaxSessions == 0 {
		limits.MaxSessions = descriptors() - spareDescriptors
	}
	limits.PerAddress, limits.PerUser = n.cfg.MaxSessionsPerAddress, n.cfg.MaxSessionsPerUser
	n.metrics = metrics.New(metrics.Sources{
		Version:       n.opts.Version,
		Sessions:      func() int { return n.carrier.Open() },
		Accepted:      func() uint64 { return n.carrier.Totals().Accepted },
		Subscriptions: n.subscriptions,
		Channels:      n.hub.Count,
		Published:     n.hub.Published,
		Delivered:     func() uint64 { return n.carrier.Totals().Delivered },
		SentBytes:     func() uint64 { return n.carrier.Totals().Sent },
		HeldBytes:     func() int64 { return n.carrier.Held() },
		Scheduled:     n.scheduled,
		Drain:         func() drain.Progress { return n.drainer.Progress() },
	})
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
		Publisher: n.hub, Channels: n.hub, Sessions: n.carrier, Door: door{n.carrier},
		Drain: n.drainer.Progress, Stats: n.stats, Metrics: n.metrics.Handler(),
		CountRefusal: n.metrics.CountRefusal, ObservePublish: n.metrics.ObservePublish, Logger: n.logger,
		Version: n.opts.Version, Started: n.started,
		Admission: httpapi.Admission{Anonymous: n.policy.Anonymous, Verify: n.policy.Verify, MaySubscribe: n.policy.MaySubscribe},
		Keys:      keys, Insecure: cfg.Insecure, Listen: cfg.Listen,
		AllowOrigins: cfg.AllowOrigins, AllowHosts: cfg.AllowHosts,
		TrustedProxies: cfg.TrustedProxies,
		MaxMessage:     int(cfg.MaxMessage), Compression: cfg.Compression,
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

// run serves until the drain is over. Publishers, probes and metrics are
// served to the very end; what publishes by itself stops before what carries
// sessions.
func (n *node) run(ctx context.Context) (exit int, err error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, drain.Signals()...)
	defer signal.Stop(signals)
	reloads := make(chan os.Signal, 1)
	notifyReload(reloads)
	defer signal.Stop(reloads)

	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	planned, unplan := context.WithCancel(inner)
	n.drainer.OnForcing = func() {
		unplan()
		n.hub.Refuse(wire.Errorf(wire.Unavailable, "this server is closing its last sessions; publish to another one, or again when it is back"))
	}
	var wg sync.WaitGroup
	background := func(what string, f func(context.Context) error) {
		wg.Go(func() {
			if err := f(inner); err != nil && inner.Err() == nil {
				n.logger.Error(what+" has stopped", "error", err)
			}
		})
	}
	background("the event loops", n.carrier.Run)
	background("the hub", n.hub.Run)
	background("the engine", n.engine.Run)
	background("the keys of tokens", n.tokens.run)
	background("the rates", n.rates.Run)
	background("the schedules", func(context.Context) error { return n.runSchedules(planned) })
	var broken atomic.Bool
	background("the HTTP server", func(context.Context) error {
		err := n.serveHTTP()
		if err != nil { // nobody could connect any more, or look: drain, then have a supervisor start anew
			broken.Store(true)
			signals <- syscall.SIGTERM
		}
		return err
	})
	background("reloading", func(ctx context.Context) error { return n.reload(ctx, reloads) })
	if n.debug != nil {
		background("the debug server", n.debug.run)
	}
	n.opts.Ready(n.listener.Addr())

	outcome, err := n.drainer.Run(ctx, signals)
	n.shutdown()
	unplan()
	stop()
	if outcome.Exit == 0 {
		wg.Wait()
	}
	if err != nil && ctx.Err() == nil {
		return 2, fmt.Errorf("drain: %w", err)
	}
	if broken.Load() {
		return 2, nil
	}
	return outcome.Exit, nil
}

func (n *node) serveHTTP() error {
	var ln net.Listener = n.listener
	if n.cfg.ProxyProtocol {
		ln = transport.ProxyProtocol(ln, n.cfg.TrustedProxies, n.logger)
	}
	if n.tls != nil {
		ln = httpapi.TLSListener(ln, n.tls.config())
	} else {
		ln = httpapi.Listener(ln)
	}
	return unlessClosed(n.web.Serve(ln))
}

// unlessClosed returns err, or nil when it only says that the server was
// closed, which is how each of them ends.
func unlessClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// shutdown ends what is left of HTTP: requests under way get a moment.
func (n *node) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if n.web.Shutdown(ctx) != nil {
		_ = n.web.Close()
	}
	if n.debug != nil {
		_ = n.debug.Close()
	}
}
