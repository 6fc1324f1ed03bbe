//go:build linux

package oracle

import (
	"fmt"
	"strings"
)

// greeting returns the request, with the channels to subscribe to.
func (v *visit) greeting() []byte {
	p := v.life.plan
	for _, t := range v.tracks {
		t.state, t.since = idle, id{}
	}
	headers := ""
	if p.sse && v.last != "" && !p.blank {
		v.adopt(v.last)
		headers = "Last-Event-ID: " + v.last + "\r\n"
	}
	v.wanted = len(p.query)
	named := v.tracks[:0:0]
	for _, i := range p.query {
		named = append(named, v.tracks[i])
	}
	for _, t := range append(named, v.broadcast) {
		if t.state = asked; !p.blank {
			t.since = t.place
		}
	}
	query := v.query(named, headers == "")
	v.life.query = query + " " + strings.TrimSpace(headers)
	if p.sse {
		v.link.body = &stream{}
		return []byte("GET /events" + query + " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n" + headers + "\r\n")
	}
	v.link.body = &frames{deflate: p.deflate}
	first := handshake(query, p.deflate)
	if p.frames && len(named) > 0 {
		wants := make([]string, len(named))
		for i, t := range named {
			wants[i] = v.wants(t)
		}
		first = text(first, `{"type":"subscribe","channels":[`+strings.Join(wants, ",")+`]}`)
	}
	return first
}

// query names the channels that are not subscribed to by a frame, and
// broadcast where it must be named to be answered with a place.
func (v *visit) query(named []*track, places bool) string {
	var names, since []string
	if v.life.plan.frames {
		named = nil
	}
	for _, t := range named {
		names = append(names, t.channel.name)
	}
	if v.broadcast.since == (id{}) {
		names = append(names, v.broadcast.channel.name)
	}
	for _, t := range append(named, v.broadcast) {
		if t.since != (id{}) && places {
			since = append(since, t.channel.name+":"+v.trial.book.text(t.since))
		}
	}
	var parts []string
	if len(names) > 0 {
		parts = append(parts, "channels="+strings.Join(names, ","))
	}
	if len(since) > 0 {
		parts = append(parts, "since="+strings.Join(since, ","))
	}
	return "?" + strings.Join(parts, "&")
}

// wants is a channel in a subscribe frame.
func (v *visit) wants(t *track) string {
	if t.since == (id{}) {
		return fmt.Sprintf(`{"channel":%q}`, t.channel.name)
	}
	return fmt.Sprintf(`{"channel":%q,"since":%q}`, t.channel.name, v.trial.book.text(t.since))
}
