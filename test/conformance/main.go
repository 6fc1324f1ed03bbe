// Command conformance serves a WebSocket echo endpoint with exactly the
// reader and writer that holdfast's sessions have, so that any conformance
// suite can be pointed at them:
//
//	go run ./test/conformance -listen 127.0.0.1:9100 -transport loop
//	go run ./test/conformance -listen 127.0.0.1:9101 -transport goroutine
//
// Text and binary messages of up to 16 MiB come back as they were sent, and
// compressed where that was agreed on and gains something.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9100", "`HOST:PORT` to serve on")
	transport := flag.String("transport", transportLoop, "what carries the sessions: "+transportLoop+" or "+transportGoroutine)
	deflate := flag.Bool("deflate", true, "agree to permessage-deflate")
	flag.Parse()

	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *transport, *deflate, logger); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

// run serves until ctx is done.
func run(ctx context.Context, listen, transport string, deflate bool, logger *slog.Logger) error {
	e, err := newEcho(transport, deflate, logger)
	if err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	logger.Info("echoing", "url", "ws://"+ln.Addr().String(), "transport", transport, "deflate", deflate)
	return e.serve(ctx, ln)
}
