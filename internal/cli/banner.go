package cli

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"

	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/wire"
)

// greeting is what a server says when clients can connect.
type greeting struct {
	cfg     config.Config
	addr    net.Addr
	version string
	pid     int
}

// banner writes where the server is and, in three lines, how to try it.
func (g greeting) banner(w io.Writer) {
	curl := "curl -d '{\"text\":\"hi\"}'"
	if len(g.cfg.APIKeys) > 0 {
		curl += ` -H "Authorization: Bearer KEY"`
	}
	url := g.url("http")
	if !g.tls() {
		url = g.host() // curl takes it for http, and the line fits
	}
	fmt.Fprintf(w, "holdfast %s on %s   pid %d\n%s; config: %s\n", g.version, g.url("http"), g.pid, g.access(), g.file())
	if clients := g.clients(); clients != everything {
		fmt.Fprintln(w, clients)
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "  listen   websocat %s%s/ws\n", g.token(), g.url("ws"))
	fmt.Fprintf(w, "  publish  %s %s/v1/channels/broadcast/messages\n", curl, url)
	fmt.Fprintf(w, "  stop     Ctrl+C waits up to %s for clients to leave; twice closes them\n\n", span(g.cfg.DrainLimit))
}

// log says the same in one line for machines.
func (g greeting) log(log *slog.Logger) {
	log.Info("serving", "address", g.addr.String(), "url", g.url("http"), "pid", g.pid, "version", g.version,
		"keys", len(g.cfg.APIKeys), "keys_from", g.keysFrom(), "insecure", g.cfg.Insecure, "config", g.file(),
		"schedules", len(g.cfg.Schedules), "clients", g.clients(), "drain_limit", span(g.cfg.DrainLimit))
}

// access says who can reach the server and with which keys.
func (g greeting) access() string {
	reach := "reachable by others"
	if config.IsLoopback(g.addr.String()) {
		reach = "this machine only"
	}
	switch n := len(g.cfg.APIKeys); {
	case n > 0:
		return fmt.Sprintf("%s; key: %d from %s", reach, n, g.keysFrom())
	case g.cfg.Insecure:
		return reach + "; no key, open to all (--insecure)"
	}
	return reach + "; no key"
}

// token is what a client has to show to be let in, as websocat takes it.
func (g greeting) token() string {
	if len(g.cfg.OpenChannels()) > 0 {
		return ""
	}
	return `-H "Authorization: Bearer TOKEN" `
}

// everything is what clients says where nothing has to be said.
const everything = "all channels open"

// clients says who may subscribe to what.
func (g greeting) clients() string {
	switch open := g.cfg.OpenChannels(); {
	case len(open) == 1 && open[0] == "*":
		return everything
	case len(open) > 0:
		return fmt.Sprintf("open without a token: %s", joined(open))
	case g.cfg.Tokens():
		return "clients need a token"
	}
	return "clients need the key, as no token is configured (--jwt-secret) and no channel open (--anonymous)"
}

func joined(patterns []wire.Pattern) string {
	names := make([]string, len(patterns))
	for i, p := range patterns {
		names[i] = string(p)
	}
	return strings.Join(names, ", ")
}

// keysFrom names the source of the keys, empty when there are none.
func (g greeting) keysFrom() string {
	if len(g.cfg.APIKeys) == 0 {
		return ""
	}
	return g.cfg.Origin("api-key").String()
}

func (g greeting) file() string {
	if g.cfg.ConfigFile == "" {
		return "none"
	}
	return g.cfg.ConfigFile
}

func (g greeting) tls() bool { return g.cfg.TLSCert != "" }

// url returns scheme (http or ws) with the address to try.
func (g greeting) url(scheme string) string {
	if g.tls() {
		scheme += "s"
	}
	return scheme + "://" + g.host()
}

// host returns the address that this machine reaches the server at.
func (g greeting) host() string {
	bound, err := netip.ParseAddrPort(g.addr.String())
	if err != nil {
		return g.addr.String()
	}
	if bound.Addr().IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", bound.Port())
	}
	return bound.String()
}
