package httpapi

import "strings"

// origin is a web origin (RFC 6454): who wrote the page that asks.
type origin struct {
	scheme string // lower case
	host   host
}

// parseOrigin reads SCHEME://HOST[:PORT] and nothing else. "null", a path, a
// query and user information make it fail.
func parseOrigin(s string) (o origin, ok bool) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || !validScheme(scheme) {
		return origin{}, false
	}
	o.scheme = strings.ToLower(scheme)
	o.host, ok = parseHost(rest)
	return o, ok
}

// same reports whether two origins are one (RFC 6454, section 5).
func (o origin) same(p origin) bool {
	return o.scheme == p.scheme && o.host.name == p.host.name && o.host.portOr(o.scheme) == p.host.portOr(p.scheme)
}

// web reports whether o is of a page that was fetched, not of a file or an
// extension.
func (o origin) web() bool { return o.scheme == "http" || o.scheme == "https" }

// sameHost reports whether the page came from the host that a request is
// for. The scheme is not compared: a proxy may end TLS in front of us.
func (o origin) sameHost(h host) bool {
	return o.web() && o.host.name == h.name && o.host.portOr(o.scheme) == h.portOr(o.scheme)
}

func (o origin) String() string { return o.scheme + "://" + o.host.String() }

func validScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (i == 0 || (s[i] < '0' || s[i] > '9') && !strings.ContainsRune("+-.", rune(s[i]))) {
			return false
		}
	}
	return s != ""
}
