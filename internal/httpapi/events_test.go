package httpapi

import (
	"net/http"

	"holdfast.dev/holdfast/internal/wire"
)

// Events stands for a stream as Upgrade for a WebSocket.
func (v *world) Events(w http.ResponseWriter, r *http.Request, n Newcomer) *wire.Error {
	return v.Upgrade(w, r, n)
}
