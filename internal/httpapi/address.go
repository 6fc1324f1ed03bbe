package httpapi

import (
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// clientAddress returns where r came from, for all that counts or shows it:
// the peer of the connection, or whom a trusted proxy names in its place. The
// port is 0 when the proxy does not tell it. Valid within the guards.
func clientAddress(r *http.Request) netip.AddrPort {
	if a, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	a, _ := netip.ParseAddr(r.RemoteAddr)
	return netip.AddrPortFrom(a.Unmap(), 0)
}

// identify makes r.RemoteAddr the client's address when r was passed on by
// trusted proxies. Nothing else that a proxy says is taken over: host and
// scheme stay those of the request.
func (a *api) identify(r *http.Request) {
	if len(a.TrustedProxies) == 0 {
		return
	}
	peer := clientAddress(r)
	if !a.trusts(peer.Addr()) {
		return
	}
	client := peer
	switch forwarded, xff := r.Header["Forwarded"], r.Header["X-Forwarded-For"]; {
	case forwarded != nil:
		client = a.walk(peer, forwarded, forwardedNode)
		if xff != nil && a.walk(peer, xff, parseNode).Addr() != client.Addr() {
			client = peer // one of them may be the client's own word
			a.logDisagreement(peer)
		}
	case xff != nil:
		client = a.walk(peer, xff, parseNode)
	}
	switch {
	case client == peer:
	case client.Port() == 0:
		r.RemoteAddr = client.Addr().String()
	default:
		r.RemoteAddr = client.String()
	}
}

// walk goes back along the hops that a header names, from the last, which
// our peer has added, to the first that is no trusted proxy: that is the
// client. Where a hop does not tell who came before it, or not in a way that
// can be read, the walk ends at that hop: what stands further left may be
// anybody's.
func (a *api) walk(peer netip.AddrPort, lines []string, node func(element string) (string, bool)) netip.AddrPort {
	at := peer
	for _, line := range slices.Backward(lines) {
		for more := true; more; {
			var element string
			line, element, more = lastElement(line)
			text, ok := node(element)
			if !ok {
				return at
			}
			if at, ok = nodeAddress(at, text); !ok || !a.trusts(at.Addr()) {
				return at
			}
		}
	}
	return at
}

func (a *api) trusts(address netip.Addr) bool {
	address = address.WithZone("")
	return slices.ContainsFunc(a.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

// logDisagreement says that a proxy passes on a header that it does not
// write itself: clients can then write it.
func (a *api) logDisagreement(peer netip.AddrPort) {
	if a.logged.first("forwarded " + peer.Addr().String()) {
		a.Logger.Warn("a proxy sends Forwarded and X-Forwarded-For that name different clients, and neither counts; have it remove the one that it does not write",
			slog.String("proxy", peer.Addr().String()), slog.String("help", "docs/proxies.md"))
	}
}

// lastElement cuts a list at its last comma that is in no quoted string. It
// reads from the right, so that a quote which a client left open further
// left hides nothing that a proxy has added.
func lastElement(list string) (rest, last string, more bool) {
	quoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch c := list[i]; {
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return list[:i], trim(list[i+1:]), true
		}
	}
	return "", trim(list), false
}

func trim(s string) string { return strings.Trim(s, " \t") }

// forwardedNode returns the node that an element of Forwarded names as the
// one it came from (RFC 7239, section 5.2). Backslashes, which no node needs,
// make it unreadable, as do an open quote and a second for=.
func forwardedNode(element string) (node string, ok bool) {
	if strings.Contains(element, `\`) {
		return "", false
	}
	for more := true; more; {
		var pair string
		if pair, element, more = firstPair(element); strings.Count(pair, `"`)%2 == 1 {
			return "", false
		}
		name, value, _ := strings.Cut(pair, "=")
		if !strings.EqualFold(trim(name), "for") {
			continue
		}
		if ok {
			return "", false
		}
		if node, ok = unquote(trim(value)); !ok {
			return "", false
		}
	}
	return node, ok
}

// firstPair cuts an element at its first semicolon that is in no quoted
// string.
func firstPair(element string) (first, rest string, more bool) {
	quoted := false
	for i := range len(element) {
		switch c := element[i]; {
		case c == '"':
			quoted = !quoted
		case c == ';' && !quoted:
			return element[:i], element[i+1:], true
		}
	}
	return element, "", false
}

// unquote returns the text of a token or a quoted string without escapes.
func unquote(s string) (string, bool) {
	if !strings.Contains(s, `"`) {
		return s, true
	}
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' || strings.Contains(s[1:len(s)-1], `"`) {
		return "", false
	}
	return s[1 : len(s)-1], true
}

// parseNode takes an element of X-Forwarded-For as it stands.
func parseNode(element string) (node string, ok bool) { return element, true }

// nodeAddress reads a node (RFC 7239, section 6): an address, with a port or
// without; IPv6 in brackets or, as X-Forwarded-For has it, bare. "unknown"
// and made-up names such as _hidden are no address, and a made-up port is
// none: it returns at then, or a port of 0.
func nodeAddress(at netip.AddrPort, node string) (netip.AddrPort, bool) {
	host, port := node, ""
	if rest, bracketed := strings.CutPrefix(node, "["); bracketed {
		inner, after, closed := strings.Cut(rest, "]")
		if !closed || !strings.Contains(inner, ":") || after != "" && after[0] != ':' {
			return at, false
		}
		host, port = inner, strings.TrimPrefix(after, ":")
	} else if strings.Count(node, ":") == 1 {
		host, port, _ = strings.Cut(node, ":")
	}
	address, err := netip.ParseAddr(host)
	if err != nil || address.Zone() != "" {
		return at, false
	}
	n, _ := strconv.ParseUint(port, 10, 16)
	return netip.AddrPortFrom(address.Unmap(), uint16(n)), true
}
