//go:build linux

package oracle

import (
	"bytes"
	"strings"
)

// stream is the body of an answer of Server-Sent Events, read as browsers do
// (HTML Living Standard, section 9.2.6), but that lines end with LF alone.
type stream struct {
	line []byte // what has come of the line that is not whole
	data []byte // of the event that is not whole
	id   string // newest of the fields so far
	kind string
}

func (s *stream) feed(l *link, p []byte) error {
	for {
		part, rest, whole := bytes.Cut(p, []byte{'\n'})
		s.line = append(s.line, part...)
		if !whole {
			return nil
		}
		s.take(l)
		s.line, p = s.line[:0], rest
	}
}

// take takes a line.
func (s *stream) take(l *link) {
	name, value, _ := strings.Cut(string(s.line), ":")
	value = strings.TrimPrefix(value, " ")
	switch {
	case len(s.line) == 0:
		s.dispatch(l)
	case name == "data":
		s.data = append(append(s.data, value...), '\n')
	case name == "id":
		s.id = value
	case name == "event":
		s.kind = value
	}
}

// dispatch takes an event that is whole.
func (s *stream) dispatch(l *link) {
	l.lastID = s.id
	if len(s.data) > 0 {
		l.event(s.kind, s.data[:len(s.data)-1])
	}
	s.data, s.kind = s.data[:0], ""
}

// adopt has the visit come back by the id of the connection before alone, as
// browsers do, and so with the same channels.
func (v *visit) adopt(last string) {
	p := v.life.plan
	p.query = p.query[:0]
	if !strings.Contains(last, ":") {
		v.settle(v.broadcast, last)
		return
	}
	for part := range strings.SplitSeq(last, ",") {
		cut := strings.LastIndexByte(part, ':')
		t := v.named[part[:cut]]
		if t == nil {
			v.wrong("the place %q names a channel that it never asked for", last)
			continue
		}
		v.settle(t, part[cut+1:])
		for i := range v.own() {
			if v.tracks[i] == t {
				p.query = append(p.query, i)
			}
		}
	}
	if len(p.query) != v.wanted || v.broadcast.place == (id{}) {
		v.wrong("the place %q does not name all channels", last)
	}
}

// settle has a channel resumed from a place.
func (v *visit) settle(t *track, place string) {
	i, err := v.trial.book.parse(place)
	if err != nil {
		v.wrong("the place %q: %v", place, err)
	}
	if t.place = i; t.blind != nil {
		t.blind.id = i
		t.note(*t.blind)
		t.blind = nil
	}
}
