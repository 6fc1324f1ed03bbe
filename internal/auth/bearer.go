package auth

import (
	"net/http"
	"strings"

	"holdfast.dev/holdfast/internal/wire"
)

// Bearer returns the token of the request's Authorization header, or "" when
// there is none. Two such headers are refused with wire.BadRequest: a proxy
// may have looked at the other one. A scheme other than Bearer, or an empty
// token, is refused with wire.Unauthorized.
func Bearer(h http.Header) (token string, refusal *wire.Error) {
	values := h["Authorization"]
	switch len(values) {
	case 0:
		return "", nil
	case 1:
	default:
		return "", wire.Errorf(wire.BadRequest, "the request has %d Authorization headers; send one", len(values))
	}
	scheme, rest, _ := strings.Cut(values[0], " ")
	token = strings.Trim(rest, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" || strings.ContainsAny(token, " \t") {
		return "", wire.Errorf(wire.Unauthorized, "the Authorization header is not of the form: Bearer KEY")
	}
	return token, nil
}
