package httpapi

import (
	"net/http"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// listSessions answers who is connected.
func (a *api) listSessions(w http.ResponseWriter, r *http.Request) {
	q, err := query(r, "channel", "user", "limit")
	if err != nil {
		refuse(w, err)
		return
	}
	f := session.Filter{Channel: q["channel"], User: q["user"]}
	if f.Limit, err = limit(q); err != nil {
		refuse(w, err)
		return
	}
	if f.Channel != "" {
		if err := wire.CheckChannel(f.Channel); err != nil {
			refuse(w, err)
			return
		}
	}
	list := a.Sessions.Sessions(r.Context(), f)
	if list == nil {
		list = []session.Info{}
	}
	answer(w, http.StatusOK, map[string][]session.Info{"sessions": list})
}

// disconnected is the answer to both ways of disconnecting.
type disconnected struct {
	Disconnected int `json:"disconnected"`
}

// revoking reads the parameter revoke=.
func revoking(r *http.Request) (bool, error) {
	q, err := query(r, "revoke")
	if err != nil {
		return false, err
	}
	switch q["revoke"] {
	case "":
		return false, nil
	case "true", "false":
		return q["revoke"] == "true", nil
	}
	return false, wire.Errorf(wire.BadRequest, "revoke= must be true or false")
}

// disconnect closes one session.
func (a *api) disconnect(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	revoke, err := revoking(r)
	if err != nil {
		refuse(w, err)
		return
	}
	found, err := a.Sessions.Disconnect(r.Context(), id, revoke)
	if err != nil {
		refuse(w, err)
		return
	}
	if !found {
		refuse(w, wire.Errorf(wire.NotFound, "no session %s is connected", wire.Quote(id)))
		return
	}
	answer(w, http.StatusOK, disconnected{1})
}

// disconnectUser closes all sessions of a user, however many.
func (a *api) disconnectUser(w http.ResponseWriter, r *http.Request) {
	if e := confirm(w, r, "this closes every session of the user"); e != nil {
		refuse(w, e)
		return
	}
	revoke, err := revoking(r)
	if err != nil {
		refuse(w, err)
		return
	}
	ended, err := a.Sessions.DisconnectUser(r.Context(), r.PathValue("user"), revoke)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, disconnected{ended})
}
