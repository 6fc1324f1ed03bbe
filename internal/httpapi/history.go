package httpapi

import (
	"net/http"

	"holdfast.dev/holdfast/internal/wire"
)

// maxPageBytes bounds the messages of one answer; one is always among them.
const maxPageBytes = 4 << 20

// history answers what a channel holds: the messages behind since=, or the
// newest.
func (a *api) history(w http.ResponseWriter, r *http.Request) {
	channel := r.PathValue("channel")
	if err := wire.CheckChannel(channel); err != nil {
		refuse(w, err)
		return
	}
	q, err := query(r, "since", "limit")
	if err != nil {
		refuse(w, err)
		return
	}
	n, err := limit(q)
	if err != nil {
		refuse(w, err)
		return
	}
	var since wire.ID
	if text, given := q["since"]; given {
		if since, err = wire.ParseID(text); err != nil {
			refuse(w, wire.Errorf(wire.BadRequest, "since=%s is no id: %s", wire.Quote(text), err))
			return
		}
	}
	page, err := a.History.History(channel, since, n, maxPageBytes)
	if err != nil {
		refuse(w, err)
		return
	}
	body := append([]byte(`{"channel":"`), channel...)
	body = append(body, `","messages":[`...)
	body = wire.AppendHistoryEnd(page.Append(body), page.Complete, page.Next, nil)
	answerBytes(w, http.StatusOK, append(body, '\n'))
}

// members answers who is at a channel.
func (a *api) members(w http.ResponseWriter, r *http.Request) {
	channel := r.PathValue("channel")
	if err := wire.CheckChannel(channel); err != nil {
		refuse(w, err)
		return
	}
	q, err := query(r, "limit")
	if err != nil {
		refuse(w, err)
		return
	}
	n, err := limit(q)
	if err != nil {
		refuse(w, err)
		return
	}
	if a.Presence == nil || !a.Presence.Covers(channel) {
		refuse(w, wire.Errorf(wire.NotFound, "channel %s has no presence; the server's --presence says which have", wire.Quote(channel)))
		return
	}
	list := struct {
		Channel string        `json:"channel"`
		Members []wire.Member `json:"members"`
		Total   int           `json:"total"`
	}{Channel: channel}
	if list.Members, list.Total = a.Presence.Members(channel, n); list.Members == nil {
		list.Members = []wire.Member{}
	}
	answer(w, http.StatusOK, list)
}
