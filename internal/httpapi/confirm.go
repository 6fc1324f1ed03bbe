package httpapi

import (
	"encoding/json"
	"net/http"

	"holdfast.dev/holdfast/internal/wire"
)

// maxIntent bounds the body of a call that wants to be confirmed, in bytes.
const maxIntent = 4 << 10

// confirm reads the body of a call that must say that it is meant. what says
// what the call does.
func confirm(w http.ResponseWriter, r *http.Request, what string) *wire.Error {
	body, e := readBody(w, r, maxIntent)
	if e != nil {
		return e
	}
	var intent struct {
		Confirm bool `json:"confirm"`
	}
	if json.Unmarshal(body, &intent) != nil || !intent.Confirm {
		return wire.Errorf(wire.BadRequest, `%s; send the body {"confirm":true} to say that it is meant`, what)
	}
	return nil
}
