package httpapi

import (
	"net/http"
	"strings"

	"holdfast.dev/holdfast/internal/wire"
)

// maxPlace bounds, in bytes, what a client of events is sent as its place and
// sends back in the header Last-Event-ID. Proxies take lines of 8 KiB.
const maxPlace = 6 << 10

// events lets a client in that gets Server-Sent Events (HTML Living Standard,
// section 9.2), or says why not. It passes the checks of a WebSocket.
func (a *api) events(w http.ResponseWriter, r *http.Request) {
	if !a.checkPage(w, r) {
		return
	}
	n, e := a.eventsNewcomer(r)
	if e == nil && r.Method == http.MethodHead {
		e = a.Door.Refusal(clientAddress(r).Addr(), n.Grant.Name())
	}
	if e != nil {
		a.turnAway(w, r, e)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store, no-transform") // who compresses, collects first
	h.Set("X-Accel-Buffering", "no")                 // nginx would collect as well
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return
	}
	if e := a.Door.Events(bare(w), r, n); e != nil {
		a.turnAway(w, r, e)
	}
}

// eventsNewcomer reads who connects, what for, and where it stopped: what a
// browser sends of itself when it comes back counts before the URL, which is
// still that of the first time.
func (a *api) eventsNewcomer(r *http.Request) (Newcomer, *wire.Error) {
	if r.ContentLength != 0 {
		return Newcomer{}, wire.Errorf(wire.BadRequest, "a request of an event stream has no body; channels= and since= stand in the URL")
	}
	last := r.Header["Last-Event-Id"]
	if len(last) > 1 {
		return Newcomer{}, wire.Errorf(wire.BadRequest, "the request has %d Last-Event-ID headers; send one", len(last))
	}
	n, e := a.newcomer(r, strings.Join(last, ""))
	if e != nil {
		return n, e
	}
	if size := placeSize(n); size > maxPlace {
		return n, wire.Errorf(wire.BadRequest, "the place in these channels may take %d bytes, %d at most, because it comes with every event and goes back in a header; name fewer channels, or connect to /ws", size, maxPlace)
	}
	return n, nil
}

// placeSize bounds the size of the place in all channels of a newcomer.
func placeSize(n Newcomer) (size int) {
	const (
		id   = len("epoch67890-18446744073709551615")
		most = len(":,") + id
	)
	own := map[string]bool{wire.Broadcast: true}
	if user := n.Grant.Name(); user != "" {
		own[wire.UserPrefix+user] = true
	}
	for name := range own {
		size += len(name) + most
	}
	for _, w := range n.Wants {
		if !own[w.Channel] {
			size += len(w.Channel) + most
		}
		size += max(0, len(w.Since.String())-id) // until the client is told that it is gone
	}
	return size
}
