package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// Bounds of one fetch of a key set: in time, and in bytes after inflating.
const (
	fetchTimeout = 5 * time.Second
	maxKeySet    = 1 << 20
)

// maxRedirects bounds redirects, which must stay with the host.
const maxRedirects = 3

// CheckKeysURL returns nil when text may name a key set: an https URL, or an
// http URL on this machine, without a user or a fragment in it.
func CheckKeysURL(text string) error {
	_, err := parseKeysURL(text)
	return err
}

func parseKeysURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, fmt.Errorf("%s is no URL of a key set; write for example https://login.example.com/.well-known/jwks.json", wire.Quote(text))
	case u.User != nil || u.Fragment != "":
		return nil, errors.New("the URL of the key set has a user or a fragment (#) in it; leave that out")
	case u.Scheme == "https", u.Scheme == "http" && onLoopback(u.Hostname()):
		return u, nil
	case u.Scheme == "http":
		return nil, fmt.Errorf("the key set at %s would come over plain http, where anybody on the way can put in keys; use https", wire.Quote(u.Host))
	}
	return nil, fmt.Errorf("the URL of the key set begins with %s; use https", wire.Quote(u.Scheme+":"))
}

// onLoopback reports whether the host is this machine by its name.
func onLoopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// keysClient returns a client that follows redirects only on the same host,
// port and scheme.
func keysClient(u *url.URL) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: fetchTimeout}).DialContext,
			TLSHandshakeTimeout:    fetchTimeout,
			MaxResponseHeaderBytes: 64 << 10,
			IdleConnTimeout:        time.Minute,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			switch {
			case req.URL.Scheme != u.Scheme || req.URL.Host != u.Host:
				return fmt.Errorf("it redirects to %s, which is not followed; name that URL itself if it is the right one", wire.Quote(req.URL.Scheme+"://"+req.URL.Host))
			case len(via) > maxRedirects:
				return fmt.Errorf("it redirects more than %d times", maxRedirects)
			}
			return nil
		},
	}
}

// get fetches the set once.
func (r *remote) get(ctx context.Context) ([]key, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, unwrapURL(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %d instead of 200", resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
	if err != nil {
		return nil, unwrapURL(ctx, err)
	}
	if len(text) > maxKeySet {
		return nil, errors.New("the set has more than 1 MiB")
	}
	return parseKeySet(text)
}

// unwrapURL takes the URL out of an error of net/http: its query may be a
// secret.
func unwrapURL(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no whole answer within %s", fetchTimeout)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
