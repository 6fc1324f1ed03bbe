package wire

import (
	"fmt"
	"net/http"
)

// CloseCode is a WebSocket close code (RFC 6455, section 7.4) or one of
// holdfast's own in the private range.
type CloseCode uint16

// The close codes that a client can see.
const (
	CloseNormal     CloseCode = 1000 // the client asked
	CloseProtocol   CloseCode = 1002 // the client broke RFC 6455
	CloseBinary     CloseCode = 1003 // a binary frame; frames are text
	CloseBadUTF8    CloseCode = 1007 // text that is not UTF-8
	ClosePolicy     CloseCode = 1008 // a flood, or forbidden
	CloseTooBig     CloseCode = 1009 // a message over the limit
	CloseAbnormal   CloseCode = 1006 // the connection was lost; stands in no frame
	CloseInternal   CloseCode = 1011 // a fault of the server
	CloseRestart    CloseCode = 1012 // this server ends, in order
	CloseOverloaded CloseCode = 1013 // back off
	CloseToken      CloseCode = 4001 // token expired or revoked
	CloseTooSlow    CloseCode = 4008 // further behind than it may be
	CloseByOperator CloseCode = 4009 // disconnected on purpose
)

// Code names a refusal. Each has one HTTP status and one anchor in
// docs/errors.md.
type Code string

// The catalogue. Every code stands in docs/errors.md under a heading of the
// same name.
const (
	BadRequest       Code = "bad_request"
	BadJSON          Code = "bad_json"
	BadChannel       Code = "bad_channel"
	UnknownType      Code = "unknown_type"
	Unauthorized     Code = "unauthorized"
	Forbidden        Code = "forbidden"
	ForbiddenOrigin  Code = "forbidden_origin"
	ForbiddenHost    Code = "forbidden_host"
	NotFound         Code = "not_found"
	MethodNotAllowed Code = "method_not_allowed"
	Timeout          Code = "timeout"
	TooLarge         Code = "too_large"
	Conflict         Code = "conflict"
	UpgradeRequired  Code = "upgrade_required"
	TooManyRequests  Code = "too_many_requests"
	TooManySubs      Code = "too_many_subscriptions"
	Overloaded       Code = "overloaded"
	Internal         Code = "internal"
	Draining         Code = "draining"
	Full             Code = "full"
	Unavailable      Code = "unavailable"
	Uncertain        Code = "uncertain"
)

var statuses = map[Code]int{
	BadRequest:       http.StatusBadRequest,
	BadJSON:          http.StatusBadRequest,
	BadChannel:       http.StatusBadRequest,
	UnknownType:      http.StatusBadRequest,
	Unauthorized:     http.StatusUnauthorized,
	Forbidden:        http.StatusForbidden,
	ForbiddenOrigin:  http.StatusForbidden,
	ForbiddenHost:    http.StatusForbidden,
	NotFound:         http.StatusNotFound,
	MethodNotAllowed: http.StatusMethodNotAllowed,
	Timeout:          http.StatusRequestTimeout,
	TooLarge:         http.StatusRequestEntityTooLarge,
	Conflict:         http.StatusConflict,
	UpgradeRequired:  http.StatusUpgradeRequired,
	TooManyRequests:  http.StatusTooManyRequests,
	TooManySubs:      http.StatusTooManyRequests,
	Overloaded:       http.StatusTooManyRequests,
	Internal:         http.StatusInternalServerError,
	Draining:         http.StatusServiceUnavailable,
	Full:             http.StatusServiceUnavailable,
	Unavailable:      http.StatusServiceUnavailable,
	Uncertain:        http.StatusServiceUnavailable,
}

// Codes returns every code of the catalogue.
func Codes() []Code {
	codes := make([]Code, 0, len(statuses))
	for c := range statuses {
		codes = append(codes, c)
	}
	return codes
}

// Status returns the HTTP status that goes with the code.
func (c Code) Status() int { return statuses[c] }

// Help returns where the code is explained.
func (c Code) Help() string { return "docs/errors.md#" + string(c) }

// Error is a refusal that a client is shown: what happened, to what, and
// what to do.
type Error struct {
	Code    Code
	Message string
}

// Errorf makes an Error.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string { return e.Message }
