package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"holdfast.dev/holdfast/internal/loadgen"
)

// quiet is holdfast's configuration: no schedule, so that nothing but the load is
// published, and no bound on new clients a second, which the others lack.
const quiet = "schedules: []\nmax-connect-rate: 1000000\n"

// holdfast is the holdfast whose source stands in a directory. bench is the
// directory of this module.
func holdfast(bench, name, title, source string) server {
	program := filepath.Join(bench, bin, name)
	return server{
		name: name, title: title,
		build:   []command{{dir: source, args: []string{"go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "./cmd/holdfast"}}},
		run:     command{args: []string{program}},
		serve:   []string{},
		dialect: func(host string) loadgen.Dialect { return loadgen.Holdfast{Host: host} },
		publish: func(ctx context.Context, i *instance) (loadgen.Publisher, error) {
			return loadgen.NewStream(ctx, "http://"+i.web.String(), "")
		},
	}
}

// beside starts another process of a holdfast, with further flags.
func (i *instance) beside(ctx context.Context, flags ...string) (*instance, error) {
	s := *i.server
	s.name += "-beside"
	s.serve = append(slices.Clone(s.serve), flags...)
	return s.start(ctx, i.bench)
}

// startHoldfast runs holdfast on a free port until it says that it is ready.
func (i *instance) startHoldfast(ctx context.Context, log io.Writer) error {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	free.Close()
	i.web = netip.MustParseAddrPort(free.Addr().String())
	config := filepath.Join(i.bench, "out", "holdfast.yaml")
	if err := os.WriteFile(config, []byte(quiet), 0o644); err != nil {
		return err
	}
	run := i.run
	run.args = append(append(slices.Clone(run.args), "serve", "--listen", i.web.String(), "--config", config), i.serve...)
	i.cmd = run.in(ctx, i.bench)
	i.cmd.Stdout, i.cmd.Stderr = log, log
	if err := i.cmd.Start(); err != nil {
		return err
	}
	return i.ready(ctx)
}

// ready waits until a holdfast says that it is.
func (i *instance) ready(ctx context.Context) error {
	for deadline := time.Now().Add(10 * time.Second); ; {
		resp, err := http.Get("http://" + i.web.String() + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(resp.Status)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it did not get ready in 10 s: %w", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
