package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/wire"
)

// mostHints bounds the channels that a hint names.
const mostHints = 3

// hint says why nobody received a message, and which channels with listeners
// have a name like that one. It is a courtesy: when the server doesn't tell,
// it says less.
func (p *publishing) hint(ctx context.Context, api *api, channel string) {
	if p.common.quiet {
		return
	}
	if channel == wire.Broadcast {
		p.say("0 received. No client is connected")
		return
	}
	var answer struct {
		Channels []struct {
			Channel     string `json:"channel"`
			Subscribers int64  `json:"subscribers"`
		} `json:"channels"`
	}
	err := api.call(ctx, http.MethodGet, "/v1/channels", url.Values{"limit": {"1000"}}, nil, nil, &answer)
	listeners := map[string]int64{}
	var names []string
	for _, c := range answer.Channels {
		if c.Subscribers > 0 && c.Channel != channel {
			names = append(names, c.Channel)
			listeners[c.Channel] = c.Subscribers
		}
	}
	near := config.Nearest(channel, names)
	switch {
	case err != nil:
		p.say("0 received")
	case len(near) > 0:
		p.say("0 received. Channels with listeners like %q: %s", channel, counted(near, listeners))
	case len(names) > 0:
		p.say("0 received. Channels with listeners: %s", counted(names, listeners))
	default:
		p.say("0 received. No channel has a listener. Listen: holdfast subscribe %s", channel)
	}
}

// counted lists the first names with their listeners: new-s (3), newt (1).
func counted(names []string, listeners map[string]int64) string {
	var list []string
	for _, name := range names[:min(len(names), mostHints)] {
		list = append(list, fmt.Sprintf("%s (%s)", plainLine(name), grouped(listeners[name])))
	}
	return strings.Join(list, ", ")
}
