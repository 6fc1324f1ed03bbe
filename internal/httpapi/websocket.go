package httpapi

import (
	"net/http"

	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// webSocket lets a client in, or says why not. A request that does not ask
// for an upgrade passes the same checks and gets the same answers, because a
// browser hides the status of a handshake that was refused: a page can ask
// again by fetch. All being well, that is 426.
func (a *api) webSocket(w http.ResponseWriter, r *http.Request) {
	if !a.checkPage(w, r) {
		return
	}
	n, e := a.newcomer(r, "")
	if e != nil {
		a.turnAway(w, r, e)
		return
	}
	if r.ProtoMajor > 1 {
		a.explain(w, r, n, overHTTP2)
		return
	}
	handshake, bad := ws.CheckHandshake(r, a.Compression)
	if bad != nil {
		a.explain(w, r, n, bad)
		return
	}
	n.Handshake = handshake
	if e := a.Door.Upgrade(bare(w), r, n); e != nil {
		a.turnAway(w, r, e)
	}
}

// explain answers a request that is no good handshake. One that does not
// even try to be is told first what the newcomer would be refused with.
func (a *api) explain(w http.ResponseWriter, r *http.Request, n Newcomer, bad *ws.HandshakeError) {
	if bad.Status != http.StatusUpgradeRequired {
		a.turnAway(w, r, wire.Errorf(wire.BadRequest, "%s", bad.Message))
		return
	}
	if e := a.Door.Refusal(n.Address.Addr(), n.Grant.Name()); e != nil {
		a.turnAway(w, r, e)
		return
	}
	for name, values := range bad.Header {
		w.Header()[name] = values
	}
	refuse(w, wire.Errorf(wire.UpgradeRequired, "%s", bad.Message))
}
