package httpapi

import (
	"context"
	"net/http"
	"strings"

	"holdfast.dev/holdfast/internal/auth"
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// Admission says who may connect and subscribe to what.
type Admission struct {
	// Anonymous are the channels that clients without a token may subscribe
	// to. With none, a client must show a token.
	Anonymous []wire.Pattern
	// Verify returns what a token allows. Errors are *wire.Error.
	Verify func(ctx context.Context, token string) (*session.Grant, error)
	// MaySubscribe returns nil when a client may subscribe to a channel.
	MaySubscribe func(channel string, g *session.Grant) error
}

// operator is what an API key allows a client that connects with it.
var operator = &session.Grant{Channels: []wire.Pattern{"*"}, Publish: []wire.Pattern{"*"}}

// grant returns what the token that the request shows allows, nil for a
// client that shows none and needs none.
func (a *api) grant(r *http.Request) (*session.Grant, *wire.Error) {
	token, e := auth.FromRequest(r)
	switch {
	case e != nil:
		return nil, e
	case token == "" && len(a.Admission.Anonymous) == 0:
		return nil, wire.Errorf(wire.Unauthorized, "clients connect with a token here: ?token=, Authorization: Bearer, or the subprotocols holdfast.v1, bearer.TOKEN (the server's --anonymous opens channels to others)")
	case token == "":
		return nil, nil
	}
	if key, _ := auth.Bearer(r.Header); key != "" && a.Keys.Match(key) {
		return operator, nil
	}
	g, err := a.Admission.Verify(r.Context(), token)
	if err != nil {
		return nil, refusal(err)
	}
	return g, nil
}

// newcomer reads who connects and what for. channels and since stand in the
// query; lastID, where given, is what a client that comes back was last sent
// and counts in place of since.
func (a *api) newcomer(r *http.Request, lastID string) (Newcomer, *wire.Error) {
	g, e := a.grant(r)
	if e != nil {
		return Newcomer{}, e
	}
	q, err := query(r, "channels", "since")
	if err != nil {
		return Newcomer{}, refusal(err)
	}
	n := Newcomer{Grant: g, Address: clientAddress(r)}
	names, e := a.channels(q, g)
	if e != nil {
		return Newcomer{}, e
	}
	since, given := q["since"]
	if lastID != "" {
		since, given = lastID, true
	}
	var places map[string]wire.ID
	if given {
		if places, err = wire.ParseSince(since, names, g.Name()); err != nil {
			return Newcomer{}, refusal(err)
		}
	}
	for _, name := range names {
		n.Wants = append(n.Wants, wire.Wanted{Channel: name, Since: places[name]})
		delete(places, name)
	}
	for name, place := range places {
		n.Wants = append(n.Wants, wire.Wanted{Channel: name, Since: place})
	}
	return n, nil
}

// channels returns the channels that the query names, each once.
func (a *api) channels(q map[string]string, g *session.Grant) (names []string, e *wire.Error) {
	list, given := q["channels"]
	if !given {
		return nil, nil
	}
	seen := make(map[string]bool) // a request has room for thousands
	for name := range strings.SplitSeq(list, ",") {
		if err := a.Admission.MaySubscribe(name, g); err != nil {
			return nil, refusal(err)
		}
		if !seen[name] { // to subscribe twice is no fault
			seen[name] = true
			names = append(names, name)
		}
	}
	return names, nil
}
