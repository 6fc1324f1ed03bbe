package node

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// debugServer serves profiles, on loopback only.
type debugServer struct {
	http.Server
	listener net.Listener
}

func newDebugServer(ctx context.Context, address string) (*debugServer, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--debug-listen %s: %w", address, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return &debugServer{http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}, ln}, nil
}

func (d *debugServer) run(context.Context) error { return unlessClosed(d.Serve(d.listener)) }
