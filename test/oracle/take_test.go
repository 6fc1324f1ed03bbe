//go:build linux

package oracle

import "encoding/json"

// take takes a frame that is whole.
func (v *visit) take(p []byte) {
	f, err := parseFrame(p)
	if err != nil {
		v.wrong("%v", err)
		return
	}
	e := event{life: v.number, at: v.trial.book.now()}
	switch f.Type {
	case "welcome":
		v.life.connected = e.at
		return
	case "error":
		if f.Code != "bad_channel" {
			v.wrong("the server answered %.300s", p)
		}
		return
	case "history":
		v.answered(p, f)
		return
	case "draining", "pong":
		return
	}
	t := v.named[f.Channel]
	if t == nil {
		v.wrong("a frame of a channel it never asked for: %.300s", p)
		return
	}
	if v.life.connected == 0 {
		v.wrong("a frame before the welcome: %.300s", p)
	}
	v.tell(t, f, e, p)
}

// happened takes an event that is whole: a frame in all but one case.
func (v *visit) happened(kind string, data []byte) {
	var closed struct {
		Type, Reason string
		Code         int
	}
	if kind != "message" {
		if err := json.Unmarshal(data, &closed); err != nil || closed.Type != kind {
			v.wrong("an event %s of %.300s", kind, data)
			return
		}
	}
	if kind == "closed" {
		v.link.code, v.link.reason = closed.Code, closed.Reason
		return
	}
	v.take(data)
}

// tell writes down what the frame says of a channel.
func (v *visit) tell(t *track, f frame, e event, p []byte) {
	place := f.ID
	if f.Type == "gap" {
		place = f.After
	}
	var err error
	if f.Type != "unsubscribed" {
		if e.id, err = v.trial.book.parse(place); err != nil {
			v.wrong("%.300s: %v", p, err)
			return
		}
	}
	if t.state == idle {
		v.wrong("a frame of a channel that it is not subscribed to: %.300s", p)
		return
	}
	switch f.Type {
	case "subscribed":
		if e.n = f.Replayed; (f.Recovered != nil) != (t.state == asked && t.since != id{}) {
			v.wrong("recovered is said where no since was given, or the reverse: %.300s", p)
		}
		t.subscribed(e, f.Recovered != nil && *f.Recovered)
	case "message":
		if e.kind, e.n = message, f.n; t.state == asked {
			v.wrong("a message before the subscribe was answered: %.300s", p)
		}
		t.message(e)
	case "gap":
		e.kind, e.why = gap, f.Reason
		t.gap(e)
	case "unsubscribed":
		t.ended(v.number, e.at, "unsubscribed")
	default:
		v.wrong("a frame of unknown type: %.300s", p)
	}
	v.over = v.over || v.life.plan.final && v.finished()
}

// answered takes an answer of history.
func (v *visit) answered(p []byte, f frame) {
	var r struct{ Request int }
	if err := json.Unmarshal(p, &r); err != nil || v.asking[r.Request] == nil || f.Channel != v.asking[r.Request].channel.name {
		v.wrong("an answer to no question: %.300s", p)
		return
	}
	q := v.asking[r.Request]
	delete(v.asking, r.Request)
	if err := q.fill(v.trial.book, f, len(p)); err != nil {
		v.wrong("%v", err)
		return
	}
	v.pages = append(v.pages, *q)
}
