package httpapi

import (
	"net/http"

	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

// listChannels answers which channels somebody listens to, by name.
func (a *api) listChannels(w http.ResponseWriter, r *http.Request) {
	q, err := query(r, "prefix", "after", "limit")
	if err != nil {
		refuse(w, err)
		return
	}
	n, err := limit(q)
	if err != nil {
		refuse(w, err)
		return
	}
	for _, name := range []string{"prefix", "after"} {
		// "." and ".." are no channels but may begin the name of one.
		if v := q[name]; v != "" && v != "." && v != ".." {
			if err := wire.CheckChannel(v); err != nil {
				refuse(w, wire.Errorf(wire.BadChannel, "%s=: %s", name, err))
				return
			}
		}
	}
	list := struct {
		Channels []hub.ChannelInfo `json:"channels"`
		Next     string            `json:"next,omitempty"` // give it as after= for more
	}{Channels: a.Channels.Channels(q["prefix"], q["after"], n+1)}
	if len(list.Channels) > n {
		list.Channels = list.Channels[:n]
		list.Next = list.Channels[n-1].Name
	}
	if list.Channels == nil {
		list.Channels = []hub.ChannelInfo{}
	}
	answer(w, http.StatusOK, list)
}

// showChannel answers what there is to see of one channel.
func (a *api) showChannel(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("channel")
	if err := wire.CheckChannel(name); err != nil {
		refuse(w, err)
		return
	}
	info, ok := a.Channels.Channel(name)
	if !ok {
		refuse(w, wire.Errorf(wire.NotFound, "nobody listens to channel %s", wire.Quote(name)))
		return
	}
	answer(w, http.StatusOK, info)
}
