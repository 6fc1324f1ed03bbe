package httpapi

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"holdfast.dev/holdfast/internal/wire"
)

// policy says which hosts a request may be for and which pages may ask.
// Static after newPolicy.
type policy struct {
	keyed     bool // /v1 wants a key
	open      bool // no key, this machine only
	insecure  bool
	local     bool   // listens on loopback
	anonymous bool   // clients are let in that show nothing
	listen    string // host part of the listen address, "" when it is no name
	hosts     []string
	origins   []origin
}

func newPolicy(d Deps) policy {
	p := policy{
		keyed:     d.Keys.Len() > 0,
		insecure:  d.Insecure,
		open:      d.Keys.Len() == 0 && !d.Insecure,
		anonymous: len(d.Admission.Anonymous) > 0,
	}
	if name, _, err := net.SplitHostPort(d.Listen); err == nil {
		h := named(name)
		p.local = h.loopback()
		if !h.addr.IsUnspecified() {
			p.listen = h.name
		}
	}
	for _, s := range d.AllowHosts {
		p.hosts = append(p.hosts, named(s).name)
	}
	for _, s := range d.AllowOrigins {
		o, ok := parseOrigin(s)
		if !ok {
			d.Logger.Error("allowed origin left out: it must read scheme://host or scheme://host:port", slog.String("origin", s))
			continue
		}
		p.origins = append(p.origins, o)
	}
	return p
}

// named returns the host of a bare name or address of the configuration.
func named(s string) host {
	s = strings.ToLower(s)
	if addr, err := netip.ParseAddr(s); err == nil {
		return host{name: addr.String(), addr: addr}
	}
	return host{name: s}
}

// ours reports whether h is a host that this server is known by: one that
// can only mean this machine, the one it listens on, or an allowed one. No
// other can be told from a name that a foreign page has pointed here.
func (p *policy) ours(h host) bool {
	if h.loopback() || p.listen != "" && h.name == p.listen {
		return true
	}
	return slices.Contains(p.hosts, h.name) ||
		slices.ContainsFunc(p.origins, func(o origin) bool { return h.name == o.host.name })
}

// checkHost refuses a request for a host that is not ours, where that
// matters: everywhere but at the probes while /v1 is open to this machine,
// and at /ws and /events, while we listen on loopback and let clients in that
// show nothing.
func (p *policy) checkHost(r *http.Request) *wire.Error {
	switch {
	case p.insecure, r.URL.Path == "/livez", r.URL.Path == "/readyz":
		return nil
	case p.open, p.local && p.anonymous && isDoor(r.URL.Path):
	default:
		return nil
	}
	h, ok := parseHost(r.Host)
	if ok && p.ours(h) {
		return nil
	}
	advice := "if it is, start the server with --allow-host and that name"
	if ok {
		advice = "if it is, start the server with --allow-host " + h.name
	}
	return wire.Errorf(wire.ForbiddenHost, "Host %s is not a name of this server; allowed are %s; %s",
		wire.Quote(r.Host), strings.Join(p.hostList(), ", "), advice)
}

func (p *policy) hostList() []string {
	list := []string{"localhost", "*.localhost", "127.0.0.0/8", "[::1]"}
	if p.listen != "" && !p.local {
		list = append(list, p.listen)
	}
	list = append(list, p.hosts...)
	for _, o := range p.origins {
		list = append(list, o.host.name)
	}
	return list
}

// checkOrigin refuses a page that may not connect. page is false when it is
// no page that asks.
func (p *policy) checkOrigin(r *http.Request) (page bool, refusal *wire.Error) {
	values := r.Header["Origin"]
	if len(values) == 0 {
		return false, nil
	}
	if len(values) > 1 {
		return true, p.foreign(strings.Join(values, ", "), origin{}, false)
	}
	o, ok := parseOrigin(values[0])
	switch {
	case !ok:
	case p.allowed(o), p.own(o, r.Host):
		return true, nil
	case !p.keyed && o.web() && o.host.loopback():
		return true, nil
	}
	return true, p.foreign(values[0], o, ok)
}

// allowed reports whether o is one of the allowed origins.
func (p *policy) allowed(o origin) bool {
	return slices.ContainsFunc(p.origins, o.same)
}

// own reports whether the page came from the host that the request is for,
// and that host is ours. An IP address will do for one: a page cannot point
// it elsewhere.
func (p *policy) own(o origin, asked string) bool {
	h, ok := parseHost(asked)
	return ok && o.sameHost(h) && (p.insecure || p.ours(h) || p.keyed && h.addr.IsValid())
}

func (p *policy) foreign(seen string, o origin, parsed bool) *wire.Error {
	allowed := []string{"pages of this server's own host"}
	if !p.keyed {
		allowed = append(allowed, "loopback pages")
	}
	for _, a := range p.origins {
		allowed = append(allowed, a.String())
	}
	advice := "an origin that is not scheme://host[:port] cannot be allowed"
	if parsed {
		advice = "to allow it, start the server with --allow-origin " + o.String()
		if p.keyed && !o.host.addr.IsValid() {
			advice += ", or, when it is this server's own name, with --allow-host " + o.host.name
		}
	}
	return wire.Errorf(wire.ForbiddenOrigin, "origin %s may not use this server; allowed are %s; %s",
		wire.Quote(seen), strings.Join(allowed, ", "), advice)
}
