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

	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/drain"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/journal"
	"holdfast.dev/holdfast/internal/httpapi"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/metrics"
	"holdfast.dev/holdfast/internal/presence"
	"holdfast.dev/holdfast/internal/schedule"
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/transport"
	"holdfast.dev/holdfast/internal/wire"
)

// node is the parts of one server.
type node struct {
	cfg      config.Config // as at the start
	current  config.Config // as reloaded last; owned by reload once it runs
	opts     Options
	logger   *slog.Logger
	started  time.Time
	hub      *hub.Hub
	engine   engine.Engine
	disk     *journal.Engine // the same, where it keeps messages on a disk; else nil
	carrier  *transport.Server
	drainer  *drain.Runner
	tokens   *tokens
	policy   *session.Policy
	roster   *presence.Roster // nil where no channel has presence
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
	n := &node{cfg: cfg, current: cfg, opts: opts, logger: opts.Logger, started: time.Now()}
	if err := n.build(ctx); err != nil {
		n.close()
		return 1, err
	}
	return n.run(ctx)
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
	wg.Go(func() {
		if err := n.engine.Run(inner); err != nil {
			n.logger.Error("the journal was not ended in order", "error", err)
		}
	})
	background("the keys of tokens", n.tokens.run)
	if n.roster != nil {
		background("presence", n.roster.Run)
	}
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
		n.close()
	}
	if err != nil && ctx.Err() == nil {
		return 2, fmt.Errorf("drain: %w", err)
	}
	if broken.Load() {
		return 2, nil
	}
	return outcome.Exit, nil
}

// close gives back what a server that did not start, or has ended, holds.
func (n *node) close() {
	if n.disk != nil {
		if err := n.disk.Close(); err != nil {
			n.logger.Error("the journal could not be closed", "error", err)
		}
	}
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
