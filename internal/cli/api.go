package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"holdfast.dev/holdfast/internal/config"
)

// maxAnswer bounds an answer of the server that is read as a whole.
const maxAnswer = 16 << 20

// api calls a server's HTTP interface.
type api struct {
	base    *url.URL
	key     config.Secret
	timeout time.Duration // for one answer; no bound on streams
	http    *http.Client
}

func newAPI(base *url.URL, key config.Secret, timeout time.Duration) *api {
	return &api{base: base, key: key, timeout: timeout, http: &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: timeout}).DialContext,
			TLSHandshakeTimeout:   timeout,
			ExpectContinueTimeout: time.Second,
		},
		// A redirect would carry the key elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// errorAnswer is the body of every refusal.
type errorAnswer struct {
	Error errorBody `json:"error"`
}

type errorBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Help    string `json:"help,omitempty"`
}

// refusal is the server's own "no".
type refusal struct {
	status     int
	body       errorBody
	retryAfter time.Duration // 0 when not said
	remedy     string        // what to do about a missing credential
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("the server refused (%d %s): %s", r.status, plainLine(r.body.Code), plainLine(r.body.Message))
	if r.status == http.StatusUnauthorized {
		text += ". " + otherwise(r.remedy, "Give its key: --api-key @FILE or HOLDFAST_API_KEY")
	}
	return text
}

// call sends a request and decodes the answer into answer, within the
// timeout.
func (a *api) call(ctx context.Context, method, path string, query url.Values, header http.Header, body io.Reader, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	resp, err := a.send(ctx, method, path, query, header, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return a.broken(err)
	}
	if raw, ok := answer.(*json.RawMessage); ok && json.Valid(content) {
		*raw = content
		return nil
	}
	if err := json.Unmarshal(content, answer); err != nil {
		return fmt.Errorf("%s did not answer as holdfast does: %w. Is --server right?", a.base, err)
	}
	return nil
}

// send sends a request and returns the answer when it is 200. The caller
// closes its body.
func (a *api) send(ctx context.Context, method, path string, query url.Values, header http.Header, body io.Reader) (*http.Response, error) {
	target := a.base.JoinPath(path)
	target.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, header)
	if key := a.key.Reveal(); key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return nil, a.broken(err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, refused(resp)
	}
	return resp, nil
}

// refused makes an error of an answer that is not 200. A client's fault, and
// a server that is draining or full, exit with 4; other failures with 1.
func refused(resp *http.Response) error {
	r := &refusal{status: resp.StatusCode, retryAfter: retryAfter(resp.Header)}
	var answer errorAnswer
	content, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if json.Unmarshal(content, &answer) == nil && answer.Error.Code != "" {
		r.body = answer.Error
	} else {
		r.body = errorBody{Code: "http_" + strconv.Itoa(r.status), Message: http.StatusText(r.status) + "; no holdfast answers there"}
	}
	code := exitRefused
	if r.status >= 500 && r.status != http.StatusServiceUnavailable || r.status < 400 {
		code = exitFailed
	}
	return &exitError{code, r}
}

func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, longestAdvice)
}

// broken makes an error of a call without answer.
func (a *api) broken(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	var dial *net.OpError
	dialled := !errors.As(err, &dial) || dial.Op != "dial"
	if waited(err) && dialled {
		return &exitError{exitWaited, fmt.Errorf("%s did not answer within %s; --timeout waits longer", a.base, a.timeout)}
	}
	return &exitError{exitUnreachable, fmt.Errorf(
		"can't reach %s (%s). Is it running? Start: holdfast serve. Elsewhere: --server URL or HOLDFAST_SERVER", a.base, reason(err))}
}

// reason is the innermost words of a network error.
func reason(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "no such host " + dns.Name
	case waited(err):
		return "no answer"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection ended before the answer"
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return strings.TrimPrefix(err.Error(), "net/http: ")
		}
		err = inner
	}
}
