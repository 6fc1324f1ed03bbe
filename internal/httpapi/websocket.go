package httpapi

import (
	"net/http"
	"strings"

	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// webSocket lets a client in, or says why not. A request that does not ask
// for an upgrade passes the same checks and gets the same answers, because a
// browser hides the status of a handshake that was refused: a page can ask
// again by fetch. All being well, that is 426.
func (a *api) webSocket(w http.ResponseWriter, r *http.Request) {
	page, e := a.policy.checkOrigin(r)
	if e != nil {
		a.logOnce(r, strings.Join(r.Header["Origin"], ", "), e)
		a.turnAway(w, r, e)
		return
	}
	if page {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
	}
	channels, e := wanted(r)
	if e != nil {
		a.turnAway(w, r, e)
		return
	}
	if r.ProtoMajor > 1 {
		a.explain(w, r, overHTTP2)
		return
	}
	handshake, bad := ws.CheckHandshake(r, a.Compression)
	if bad != nil {
		a.explain(w, r, bad)
		return
	}
	n := Newcomer{Handshake: handshake, Channels: channels, Address: clientAddress(r)}
	if e := a.Door.Upgrade(bare(w), r, n); e != nil {
		a.turnAway(w, r, e)
	}
}

// explain answers a request that is no good handshake. One that does not
// even try to be is told first what a newcomer would be refused with.
func (a *api) explain(w http.ResponseWriter, r *http.Request, bad *ws.HandshakeError) {
	if bad.Status != http.StatusUpgradeRequired {
		a.turnAway(w, r, wire.Errorf(wire.BadRequest, "%s", bad.Message))
		return
	}
	if e := a.Door.Refusal(clientAddress(r).Addr(), ""); e != nil {
		a.turnAway(w, r, e)
		return
	}
	for name, values := range bad.Header {
		w.Header()[name] = values
	}
	refuse(w, wire.Errorf(wire.UpgradeRequired, "%s", bad.Message))
}

// wanted returns the channels that the query asks for.
func wanted(r *http.Request) ([]string, *wire.Error) {
	q, err := query(r, "channels", "since", "token")
	if err != nil {
		return nil, refusal(err)
	}
	if _, given := q["token"]; given || r.Header["Authorization"] != nil || bearerProtocol(r) {
		return nil, wire.Errorf(wire.Unauthorized, "no tokens are configured on this server; connect without one")
	}
	if _, given := q["since"]; given {
		return nil, wire.Errorf(wire.BadRequest, "this server keeps no history to resume from; connect without since=")
	}
	list, given := q["channels"]
	if !given {
		return nil, nil
	}
	var channels []string
	seen := make(map[string]bool)
	for name := range strings.SplitSeq(list, ",") {
		if err := wire.CheckChannel(name); err != nil {
			return nil, refusal(err)
		}
		if strings.HasPrefix(name, wire.UserPrefix) {
			return nil, wire.Errorf(wire.Forbidden, "nobody may subscribe to %s: what is for a user reaches that user's sessions by itself", wire.Quote(name))
		}
		if !seen[name] { // to subscribe twice is no fault
			seen[name] = true
			channels = append(channels, name)
		}
	}
	return channels, nil
}

// bearerProtocol reports whether a token is offered as a subprotocol, the
// only place where a browser can put one.
func bearerProtocol(r *http.Request) bool {
	for _, line := range r.Header["Sec-Websocket-Protocol"] {
		for p := range strings.SplitSeq(line, ",") {
			if strings.HasPrefix(strings.TrimSpace(p), "bearer.") {
				return true
			}
		}
	}
	return false
}
