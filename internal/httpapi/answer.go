package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// Bounds of Retry-After, in seconds. It is random so that clients that were
// refused together do not come back together.
const minRetry, maxRetry = 5, 30

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		refuse(w, wire.Errorf(wire.Internal, "the answer could not be written as JSON"))
		return
	}
	answerBytes(w, status, body.Bytes())
}

// answerBytes writes body, which must be JSON.
func answerBytes(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

// refuse answers a request that is not carried out. It is the one place where
// an error becomes a status, headers and a body.
func refuse(w http.ResponseWriter, err error) {
	e := refusal(err)
	if c, ok := w.(tallied); ok {
		c.CountRequestRefusal(e.Code)
	}
	// Counted from now: the request may have taken its time.
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerPatience))
	h := w.Header()
	switch e.Code.Status() {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		if h["Retry-After"] == nil { // it may be known better
			h.Set("Retry-After", strconv.Itoa(minRetry+rand.IntN(maxRetry-minRetry+1)))
		}
	}
	switch e.Code {
	case wire.Draining, wire.TooLarge, wire.Timeout:
		h.Set("Connection", "close")
	}
	answerBytes(w, e.Code.Status(), append(appendError([]byte{'{'}, e), '}', '\n'))
}

// tallied is the writer of a request whose refusal is counted.
type tallied struct {
	http.ResponseWriter
	*Deps
}

// Unwrap is for http.ResponseController.
func (c tallied) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// refusal returns err as what a client may see. Anything but a *wire.Error
// is a fault of the server, whose text is nobody else's business.
func refusal(err error) *wire.Error {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return e
	}
	return wire.Errorf(wire.Internal, "the server failed to carry this out; its log may say why")
}

// appendError appends "error":{…}.
func appendError(dst []byte, e *wire.Error) []byte {
	dst = append(dst, `"error":{"code":"`...)
	dst = append(dst, e.Code...)
	dst = append(dst, `","message":`...)
	dst = wire.AppendString(dst, e.Message)
	dst = append(dst, `,"help":`...)
	dst = wire.AppendString(dst, e.Code.Help())
	return append(dst, '}')
}
