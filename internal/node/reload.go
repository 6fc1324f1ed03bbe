package node

import (
	"context"
	"net/http"
	"os"
	"sync/atomic"

	"holdfast.dev/holdfast/internal/config"
)

// swap is an HTTP handler that can be changed while it serves.
type swap struct{ current atomic.Pointer[http.Handler] }

func (s *swap) set(h http.Handler) { s.current.Store(&h) }

// ServeHTTP implements http.Handler.
func (s *swap) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*s.current.Load()).ServeHTTP(w, r) }

// reload reads the configuration again at each signal. Connections are never
// touched; on an error everything stays as it was.
func (n *node) reload(ctx context.Context, signals <-chan os.Signal) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-signals:
			n.reloadOnce(ctx)
		}
	}
}

func (n *node) reloadOnce(ctx context.Context) {
	next, warnings, err := n.opts.Reload()
	if err == nil {
		err = n.apply(ctx, next)
	}
	if err != nil {
		for _, fault := range config.Faults(err) {
			n.logger.Error("reload: " + fault.Error())
		}
		n.logger.Error("reload: nothing was changed; correct the above and send SIGHUP again")
		return
	}
	for _, w := range warnings {
		n.logger.Warn(w)
	}
}

// apply takes over what of next can be, or nothing at all. The result must
// stand by itself: what is safe on loopback may not be where we listen.
func (n *node) apply(ctx context.Context, next config.Config) error {
	effective := n.current.Reloaded(next)
	if err := effective.Validate(); err != nil {
		return err
	}
	verifier, err := newVerifier(effective, n.logger)
	if err != nil {
		return err
	}
	handler, err := n.buildHandler(effective)
	if err != nil {
		return err
	}
	if n.tls != nil {
		if err := n.tls.load(effective.TLSCert, effective.TLSKey); err != nil {
			return err
		}
	}
	changes := config.Changes(n.current, next)
	for _, c := range changes {
		n.logger.Info("reload: " + c.String())
	}
	n.handler.set(handler)
	if verifier != nil {
		n.tokens.replace(ctx, verifier)
	}
	n.opts.Level.Set(effective.LogLevel)
	n.replan(ctx, effective)
	n.current = effective
	n.logger.Info("reloaded", "changes", len(changes))
	return nil
}
