package transport

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// What is written here are the lines of an event stream (HTML Living
// Standard, section 9.2.6). CR, LF and CRLF all end a line there, so nothing
// but appendEvent may write what came from elsewhere.

// heartbeatLine is a comment, which clients drop.
const heartbeatLine = ":\n\n"

const (
	dataField = "data: "
	eventEnd  = "\n\n"
)

// appendEvent appends one event whole. kind and id must have no line ends and
// id may be empty: then the client keeps the one before. data is the JSON of
// a frame; where it has line ends, they come to the client as LF.
func appendEvent(dst []byte, kind string, id, data []byte) []byte {
	dst = appendEventHead(dst, kind, id)
	for {
		i := bytes.IndexAny(data, "\r\n")
		if i < 0 {
			break
		}
		dst = append(append(dst, data[:i]...), '\n')
		dst = append(dst, dataField...)
		if data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n' {
			i++
		}
		data = data[i+1:]
	}
	return append(append(dst, data...), eventEnd...)
}

// appendEventHead appends what stands before the data.
func appendEventHead(dst []byte, kind string, id []byte) []byte {
	dst = append(append(dst, "event: "...), kind...)
	if len(id) > 0 {
		dst = append(append(dst, "\nid: "...), id...)
	}
	return append(append(dst, '\n'), dataField...)
}

// oneLine reports whether data takes one line of an event. What is published
// always does, having no white space between its tokens.
func oneLine(data []byte) bool {
	return bytes.IndexByte(data, '\n') < 0 && bytes.IndexByte(data, '\r') < 0
}

// kindOf returns the type of a frame, which its JSON begins with.
func kindOf(frame []byte) string {
	const before = `{"type":"`
	if len(frame) > len(before) {
		if kind, _, ok := bytes.Cut(frame[len(before):], []byte{'"'}); ok {
			return string(kind)
		}
	}
	return "error"
}

// appendRetry says how long a client is to wait before it comes back.
func appendRetry(dst []byte, d time.Duration) []byte {
	dst = append(dst, "retry: "...)
	return append(strconv.AppendInt(dst, d.Milliseconds(), 10), eventEnd...)
}

// usualRetry is what a client is told to wait after a connection that was
// lost: random, so that those who lost it together do not come together.
func usualRetry() time.Duration {
	return 2*time.Second + rand.N(3*time.Second)
}

// stayAway is what a client is told to wait that should not come back by
// itself. There is no other way to say it: an EventSource comes back after
// whatever else ends its connection.
const stayAway = 24 * time.Hour

// retryAfter returns what a client is to wait after an end, 0 for as long as
// it was told before.
func retryAfter(why *session.End) time.Duration {
	switch why.Code {
	case wire.CloseRestart:
		if ms, err := strconv.Atoi(strings.TrimPrefix(why.Reason, restartReason)); err == nil {
			return time.Duration(ms) * time.Millisecond
		}
	case wire.CloseOverloaded:
		return 5*time.Second + rand.N(25*time.Second)
	case wire.ClosePolicy, wire.CloseByOperator:
		return stayAway
	}
	return 0
}

// appendClosed appends what stands for a close frame.
func appendClosed(dst []byte, why *session.End) []byte {
	if retry := retryAfter(why); retry > 0 {
		dst = appendRetry(dst, retry)
	}
	data := strconv.AppendInt([]byte(`{"type":"closed","code":`), int64(why.Code), 10)
	data = wire.AppendString(append(data, `,"reason":`...), why.Reason)
	return appendEvent(dst, "closed", nil, append(data, '}'))
}
