package node

import (
	"net/http"

	"holdfast.dev/holdfast/internal/httpapi"
	"holdfast.dev/holdfast/internal/transport"
	"holdfast.dev/holdfast/internal/wire"
)

// Events implements httpapi.Door.
func (d door) Events(w http.ResponseWriter, r *http.Request, c httpapi.Newcomer) *wire.Error {
	return d.Server.Events(w, r, transport.Request(c))
}
