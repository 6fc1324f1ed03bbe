package auth

import (
	"net/http"
	"net/url"
	"strings"

	"holdfast.dev/holdfast/internal/wire"
)

// Subprotocols that carry a token: browsers can set no header of a WebSocket
// handshake but Sec-WebSocket-Protocol.
const (
	subprotocol  = "holdfast.v1"
	bearerPrefix = "bearer."
)

// FromRequest returns the token that a client shows when it connects, or ""
// when it shows none. It may stand in one of three places: ?token= in the URL,
// the header "Authorization: Bearer TOKEN", or the subprotocols
// "holdfast.v1, bearer.TOKEN". More than one place, or two in one, is refused
// with wire.BadRequest, since somebody in between may have looked at the
// other; an empty one with wire.Unauthorized, since nobody means that.
//
// The token has MaxToken bytes at most and is not looked into. From the header
// it may as well be an API key.
func FromRequest(r *http.Request) (string, *wire.Error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", wire.Errorf(wire.BadRequest, "the query of the URL cannot be read; escape %% as %%25, ; as %%3B and & as %%26")
	}
	var shown []string
	shown = append(shown, values["token"]...)
	fromHeader, refusal := Bearer(r.Header)
	if refusal != nil {
		return "", refusal
	}
	if fromHeader != "" {
		shown = append(shown, fromHeader)
	}
	offered, refusal := offeredTokens(r.Header)
	if refusal != nil {
		return "", refusal
	}
	shown = append(shown, offered...)
	switch {
	case len(shown) == 0:
		return "", nil
	case len(shown) > 1:
		return "", wire.Errorf(wire.BadRequest, "the request shows %d tokens; show one, in ?token=, the Authorization header or the subprotocol bearer.TOKEN", len(shown))
	case shown[0] == "":
		return "", wire.Errorf(wire.Unauthorized, "the token is empty; leave it out to connect without one")
	case len(shown[0]) > MaxToken:
		return "", wire.Errorf(wire.BadRequest, "the token has %d bytes, %d at most", len(shown[0]), MaxToken)
	}
	return shown[0], nil
}

// offeredTokens returns the tokens among the subprotocols that are offered.
func offeredTokens(h http.Header) (tokens []string, refusal *wire.Error) {
	beside := false
	for _, line := range h["Sec-Websocket-Protocol"] {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.Trim(name, " \t")
			if text, ok := strings.CutPrefix(name, bearerPrefix); ok {
				tokens = append(tokens, text)
			}
			beside = beside || name == subprotocol
		}
	}
	if len(tokens) > 0 && !beside {
		return nil, wire.Errorf(wire.BadRequest, "the subprotocol bearer.TOKEN stands alone; offer %s too, which is the one that the server can agree to", subprotocol)
	}
	return tokens, nil
}
