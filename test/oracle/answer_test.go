//go:build linux

package oracle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// split takes the answer to many apart; what is missing is nil.
func (p *publisher) split(form string, answer []byte, n int) [][]byte {
	all := make([][]byte, n)
	if form == "lines" {
		copy(all, bytes.Split(bytes.TrimSpace(answer), []byte("\n")))
		return all
	}
	var list []json.RawMessage
	_ = json.Unmarshal(answer, &list)
	for i := range min(n, len(list)) {
		all[i] = list[i]
	}
	return all
}

// errStatus is an answer that is no success as a whole.
type errStatus struct {
	code string
}

func (e *errStatus) Error() string { return e.code }

// post returns the answer to a request, as much of it as came.
func (p *publisher) post(ctx context.Context, path string, body []byte, headers map[string]string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.trial.server.address()+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	response, err := p.web.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		var fault struct{ Error struct{ Code string } }
		if json.Unmarshal(answer, &fault) != nil || fault.Error.Code == "" {
			return nil, fmt.Errorf("status %d without a code", response.StatusCode)
		}
		return nil, &errStatus{fault.Error.Code}
	}
	return answer, err
}

// outcome writes down what became of an attempt.
func (p *publisher) outcome(note func(time.Duration, outcome, id, string), answer []byte, err error) {
	now := p.trial.book.now()
	var a struct {
		ID    string
		Error struct{ Code string }
	}
	if bad := json.Unmarshal(answer, &a); bad == nil && a.ID != "" {
		if i, fault := p.trial.book.parse(a.ID); fault == nil {
			note(now, acked, i, "")
			select {
			case p.trial.acks <- struct{}{}:
			default:
			}
			return
		}
	}
	status, answered := errors.AsType[*errStatus](err)
	switch {
	case answered:
		a.Error.Code = status.code
		fallthrough
	case a.Error.Code != "":
		o := refused
		if a.Error.Code == "uncertain" || a.Error.Code == "internal" {
			o = uncertain
		}
		note(now, o, id{}, a.Error.Code)
	case err != nil && nobody(err):
		note(now, refused, id{}, "nobody there")
	case err != nil:
		note(now, uncertain, id{}, err.Error())
	default:
		note(now, uncertain, id{}, "no answer to this one: "+strconv.Quote(string(answer)))
	}
}

// nobody reports whether an error says that there was no connection.
func nobody(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "dial" || errors.Is(err, syscall.ECONNREFUSED)
}
