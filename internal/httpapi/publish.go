package httpapi

import (
	"bytes"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"holdfast.dev/holdfast/internal/wire"
)

// publish takes one message: the body, as JSON or, when it says that it is
// text/plain, as a string.
func (a *api) publish(w http.ResponseWriter, r *http.Request) {
	p, err := publication(r)
	if err != nil {
		refuse(w, err)
		return
	}
	if e := a.throttle(w, r); e != nil {
		refuse(w, e)
		return
	}
	body, e := readBody(w, r, a.MaxMessage)
	if e != nil {
		refuse(w, e)
		return
	}
	begun := time.Now()
	if p.Data, err = messageData(r, body); err != nil {
		refuse(w, err)
		return
	}
	receipt, err := a.Publisher.Publish(r.Context(), p)
	if err != nil {
		refuse(w, err)
		return
	}
	a.ObservePublish(time.Since(begun))
	var s receipts
	answerBytes(w, http.StatusOK, append(s.append(nil, receipt), '\n'))
}

// publication reads all but the data from path, query and header.
func publication(r *http.Request) (wire.Publication, error) {
	q, err := query(r, "event")
	if err != nil {
		return wire.Publication{}, err
	}
	keys := r.Header["Idempotency-Key"]
	if len(keys) > 1 {
		return wire.Publication{}, wire.Errorf(wire.BadRequest, "the request has %d Idempotency-Key headers; send one", len(keys))
	}
	p := wire.Publication{Channel: r.PathValue("channel"), Event: q["event"]}
	if keys != nil {
		if p.Key = keys[0]; p.Key == "" {
			return wire.Publication{}, wire.Errorf(wire.BadRequest, "the Idempotency-Key header is empty; leave it out to publish without one")
		}
	}
	return p, p.Check()
}

// messageData returns the body as the JSON that clients are sent.
func messageData(r *http.Request, body []byte) ([]byte, error) {
	if mediaType(r) == "text/plain" {
		if i := badUTF8(body); i >= 0 {
			return nil, wire.Errorf(wire.BadRequest, "the text is not UTF-8 at byte %d", i+1)
		}
		if len(body) == 0 {
			return nil, emptyBody()
		}
		return wire.AppendString(nil, string(body)), nil
	}
	if len(bytes.Trim(body, jsonSpace)) == 0 {
		return nil, emptyBody()
	}
	if err := wire.CheckJSON(body); err != nil {
		return nil, err
	}
	return wire.Compact(body), nil
}

// jsonSpace is the white space of JSON (RFC 8259, section 2).
const jsonSpace = " \t\r\n"

func emptyBody() *wire.Error {
	return wire.Errorf(wire.BadRequest, `the body is empty; it is the message's data, as JSON: {"text":"hi"}`)
}

// mediaType returns the type of the body without its parameters.
func mediaType(r *http.Request) string {
	t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// badUTF8 returns where b stops being UTF-8, or -1.
func badUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		c, n := utf8.DecodeRune(b[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}
