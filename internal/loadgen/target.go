package loadgen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// target is the server that a bench is pointed at.
type target struct {
	address netip.AddrPort
	host    string // as the URL says it, with the port
	path    string // of the WebSocket, with the query
	base    string // of the HTTP interface
	key     string
}

// parseTarget resolves a WebSocket URL.
func parseTarget(ctx context.Context, raw, key string) (target, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return target{}, fmt.Errorf("the URL of the server: %w", err)
	}
	switch {
	case u.Scheme == "wss" || u.Scheme == "https":
		return target{}, fmt.Errorf("%s: the load generator does not speak TLS; point it at the server's plain port, ws://HOST:PORT/ws", raw)
	case u.Scheme != "ws" && u.Scheme != "http" || u.Hostname() == "":
		return target{}, fmt.Errorf("%q is no WebSocket URL; write it as ws://127.0.0.1:8000/ws", raw)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	host := net.JoinHostPort(u.Hostname(), port)
	resolved, err := (&net.Resolver{}).LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return target{}, fmt.Errorf("find the server: %w", err)
	}
	t := target{host: host, path: u.RequestURI(), base: "http://" + host, key: key}
	if u.Path == "" {
		t.path = "/ws"
	}
	var errs []error
	for _, ip := range resolved { // localhost may name an address that is not listened on
		t.address, err = netip.ParseAddrPort(net.JoinHostPort(ip.Unmap().String(), port))
		if err != nil {
			return target{}, fmt.Errorf("the port of %s: %w", raw, err)
		}
		conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", t.address.String())
		if err == nil {
			conn.Close()
			return t, nil
		}
		errs = append(errs, err)
	}
	return target{}, fmt.Errorf("no server answers at %s (is it running? `holdfast serve`): %w", host, errors.Join(errs...))
}

// process asks the server which process it is; 0 when that is not to be known,
// or is not on this machine.
func (t target) process(ctx context.Context) int {
	if !t.address.Addr().IsLoopback() {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.base+"/v1/status", nil)
	if err != nil {
		return 0
	}
	authorize(req, t.key)
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	var status struct{ PID int }
	if json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&status) != nil {
		return 0
	}
	if _, err := Process(status.PID).Resident(); err != nil {
		return 0
	}
	return status.PID
}
