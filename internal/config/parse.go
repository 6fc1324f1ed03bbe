package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err == nil {
		return d, nil
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return 0, fmt.Errorf("%s has no unit; write %[2]ss for seconds, %[2]sm for minutes", quote(text), text)
	}
	return 0, fmt.Errorf("%s is not a duration; write for example 25s, 30m or 1h30m", quote(text))
}

// formatDuration is d.String without the zeros at its end: 30m, not 30m0s.
func formatDuration(d time.Duration) string {
	text := d.String()
	if d == 0 {
		return "0"
	}
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// parseKey never repeats the key in its errors.
func parseKey(text string) (Secret, error) {
	if len(text) < MinKey {
		return Secret{}, fmt.Errorf("a key of %d bytes is too easily guessed; it needs at least %d, like %s", len(text), MinKey, newKey())
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' || text[i] == ',' {
			return Secret{}, fmt.Errorf("byte %d of the key is a space, a comma or not ASCII; an Authorization header can't carry it", i+1)
		}
	}
	return NewSecret(text), nil
}

// parseJWTSecret never repeats the secret in its errors.
func parseJWTSecret(text string) (Secret, error) {
	if len(text) < MinJWTSecret {
		return Secret{}, fmt.Errorf("a secret of %d bytes is too easily guessed; HS256 needs at least %d (RFC 7518, section 3.2), like %s", len(text), MinJWTSecret, newKey())
	}
	return NewSecret(text), nil
}

func parseFile(text string) (string, error) {
	if text == "" {
		return "", fmt.Errorf("no file is named; write its path")
	}
	return text, nil
}

// parseClaim reads what a claim of a token is compared with; empty is not
// set.
func parseClaim(text string) (string, error) {
	if strings.TrimSpace(text) != text {
		return "", fmt.Errorf("%s begins or ends with a space; tokens are compared byte by byte", quote(text))
	}
	return text, nil
}

// parseKeyURL reads the address of a key set; empty is not set. Plain http is
// for this machine only, else whoever is between could hand out keys.
func parseKeyURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("%s is not an address; write for example https://login.example.com/.well-known/jwks.json", quote(text))
	case u.User != nil || u.Fragment != "":
		return "", fmt.Errorf("%s has a user or a fragment in it; write it without", quote(u.Redacted()))
	case u.Scheme == "http" && !IsLoopback(net.JoinHostPort(u.Hostname(), "80")):
		return "", fmt.Errorf("%s could be changed on the way; use https", quote(text))
	}
	return text, nil
}

func parsePattern(text string) (wire.Pattern, error) {
	p := wire.Pattern(text)
	if err := p.Check(); err != nil {
		return "", fmt.Errorf("%w; write a channel name, or its beginning and a *", err)
	}
	return p, nil
}

// parsePrefix reads an address or a network in CIDR form.
func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%s is neither an address nor a network; write for example 10.0.0.7 or 10.0.0.0/8", quote(text))
	case p.Addr().Is4In6():
		return netip.Prefix{}, fmt.Errorf("%s is IPv4 written as IPv6; write the IPv4 network", quote(text))
	case p.Bits() == 0:
		return netip.Prefix{}, fmt.Errorf("%s would let every client choose its own address; name your proxies", quote(text))
	case p != p.Masked():
		return netip.Prefix{}, fmt.Errorf("%s is an address inside a network; write %s for the network", quote(text), p.Masked())
	}
	return p, nil
}

// formatPrefix is the prefix as parsePrefix reads it.
func formatPrefix(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

func checkAddress(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		if _, err := strconv.ParseUint(text, 10, 16); err == nil {
			return fmt.Errorf("%s names no host; write 127.0.0.1:%s, or :%s for every address", quote(text), text, text)
		}
		return fmt.Errorf("%s is not HOST:PORT; write for example 127.0.0.1:8000 or [::1]:8000", quote(text))
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%s has no port between 0 and 65535", quote(text))
	}
	return nil
}

// checkLoopback is checkAddress for what only this machine may reach; empty
// is allowed.
func checkLoopback(text string) error {
	if text == "" {
		return nil
	}
	if err := checkAddress(text); err != nil {
		return err
	}
	if !IsLoopback(text) {
		return fmt.Errorf("%s can be reached by others; only loopback is allowed here, for example 127.0.0.1:6060", quote(text))
	}
	return nil
}

// IsLoopback reports whether HOST:PORT can only be reached from this machine:
// an IP of 127/8 or [::1], localhost, or a name below it.
func IsLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func parseOrigin(text string) (string, error) {
	if text == "*" {
		return "", fmt.Errorf("* would let every web page in; name each origin, for example https://app.example.com")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%s is not an origin; write scheme and host, for example https://app.example.com", quote(text))
	}
	origin := u.Scheme + "://" + strings.ToLower(u.Host)
	if strings.TrimSuffix(text, "/") != u.Scheme+"://"+u.Host {
		return "", fmt.Errorf("%s is more than an origin; write %s", quote(text), origin)
	}
	if strings.ContainsAny(u.Host, "*,") {
		return "", fmt.Errorf("%s has a pattern or a list in it; name each origin by itself", quote(text))
	}
	return origin, nil
}

func parseHost(text string) (string, error) {
	if ip, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return ip.String(), nil
	}
	if text == "" || strings.ContainsAny(text, "/:@*, []") {
		return "", fmt.Errorf("%s is not a host name; write it without scheme, port or path, for example app.example.com", quote(text))
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return "", fmt.Errorf("%s is not ASCII; write the name as browsers send it (xn--…)", quote(text))
		}
	}
	return strings.ToLower(strings.TrimSuffix(text, ".")), nil
}
