package httpapi

import (
	"net/netip"
	"strconv"
	"strings"
)

// host is a host with a port, as a Host header or an origin names it.
type host struct {
	name string     // lower case, no brackets
	addr netip.Addr // of an IP address; else not valid
	port string     // empty when not given
}

// parseHost reads HOST or HOST:PORT (RFC 9110, section 7.2). It is strict:
// what a resolver might take for an address but is not written as one is a
// name, a trailing dot, user information or a zone make it fail. A check that
// looks at prefixes or suffixes of the raw text would let
// 127.0.0.1.evil.example through.
func parseHost(s string) (h host, ok bool) {
	name, port := s, ""
	if rest, bracketed := strings.CutPrefix(s, "["); bracketed {
		inner, after, closed := strings.Cut(rest, "]")
		addr, err := netip.ParseAddr(inner)
		if !closed || err != nil || !addr.Is6() || addr.Zone() != "" {
			return host{}, false
		}
		if after != "" && (after[0] != ':' || !validPort(after[1:])) {
			return host{}, false
		}
		return host{name: addr.String(), addr: addr, port: strings.TrimPrefix(after, ":")}, true
	}
	if i := strings.IndexByte(s, ':'); i >= 0 {
		name, port = s[:i], s[i+1:]
		if !validPort(port) {
			return host{}, false
		}
	}
	name = strings.ToLower(name)
	if !validName(name) {
		return host{}, false
	}
	h = host{name: name, port: port}
	if addr, err := netip.ParseAddr(name); err == nil {
		h.addr = addr
	}
	return h, true
}

// loopback reports whether h can only mean this machine.
func (h host) loopback() bool {
	if h.addr.IsValid() {
		return h.addr.Is4() && h.addr.IsLoopback() || h.addr == netip.IPv6Loopback()
	}
	return h.name == "localhost" || strings.HasSuffix(h.name, ".localhost")
}

// portOr returns the port, or the usual one of scheme.
func (h host) portOr(scheme string) string {
	switch {
	case h.port != "":
		return h.port
	case scheme == "https":
		return "443"
	case scheme == "http":
		return "80"
	}
	return ""
}

func (h host) String() string {
	s := h.name
	if h.addr.Is6() {
		s = "[" + s + "]"
	}
	if h.port != "" {
		s += ":" + h.port
	}
	return s
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '+' && s[0] != '0'
}

// validName reports whether s is a name of dot-separated labels of letters,
// digits, - and _, each of 1 to 63, 253 in all.
func validName(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			if c := label[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}
