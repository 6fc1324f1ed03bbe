package httpapi

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// Deadlines of one request.
const (
	bodyPatience   = 10 * time.Second // no byte of the body for so long: 408
	answerPatience = 15 * time.Second // the client must take the answer within
)

// firstRead is how much room a body gets before any of it has come: what
// Content-Length says is a claim.
const firstRead = 4 << 10

// readBody reads a whole body of at most limit bytes. It waits for as long
// as bytes keep coming.
func readBody(w http.ResponseWriter, r *http.Request, limit int) ([]byte, *wire.Error) {
	if r.ContentLength > int64(limit) {
		return nil, tooLarge(limit)
	}
	rc := http.NewResponseController(w)
	body := make([]byte, 0, min(limit+1, max(int(r.ContentLength)+1, 512), firstRead))
	for {
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		rc.SetReadDeadline(time.Now().Add(bodyPatience))
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > limit:
			return nil, tooLarge(limit)
		case err == io.EOF:
			rc.SetReadDeadline(time.Time{})
			rc.SetWriteDeadline(time.Now().Add(answerPatience))
			return body, nil
		case err != nil:
			return nil, brokenBody(err)
		}
	}
}

func tooLarge(limit int) *wire.Error {
	return wire.Errorf(wire.TooLarge, "the body is larger than the limit of %d bytes", limit)
}

// brokenBody says why a body could not be read to its end.
func brokenBody(err error) *wire.Error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return wire.Errorf(wire.Timeout, "nothing of the body came for %d seconds", int(bodyPatience.Seconds()))
	}
	return wire.Errorf(wire.BadRequest, "the body broke off or its transfer encoding is damaged")
}
