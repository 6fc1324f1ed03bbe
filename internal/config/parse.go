package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
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
