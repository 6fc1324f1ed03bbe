package transport

import (
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

// ahead are the members of feeds who came back from a place that their loop
// had yet to get to: another loop had, or a publisher had been told of it. Up
// to that place they know all that they will be offered. There is hardly ever
// one, and it is forgotten with the first entry behind its place.
type ahead map[*hub.Feed]map[int32]wire.ID

// note has the member in a slot left out of what comes up to a place.
func (a ahead) note(f *hub.Feed, slot int32, since wire.ID) {
	if a[f] == nil {
		a[f] = make(map[int32]wire.ID, 1)
	}
	a[f][slot] = since
}

// forget undoes note.
func (a ahead) forget(f *hub.Feed, slot int32) {
	if delete(a[f], slot); len(a[f]) == 0 {
		delete(a, f)
	}
}

// known deals with a member who may know some of the chunk, and reports
// whether nothing of it is left to offer.
func (l *Loop) known(c *conn, f *hub.Feed) bool {
	since, noted := l.ahead[f][c.slot]
	if !noted {
		return false
	}
	sameEpoch := f.Epoch() == since.Epoch
	if sameEpoch && l.chunk.last.Seq <= since.Seq {
		return true
	}
	l.ahead.forget(f, c.slot)
	if !sameEpoch || l.chunk.first.Seq > since.Seq {
		return false
	}
	e := l.chunk.first
	for e.Seq <= since.Seq {
		e = e.Next()
	}
	if c.out == nil {
		c.out = &outbox{}
	}
	c.out.follow(f, e, l.chunk.last, bytesOf(e, l.chunk.last))
	if !c.blocked() {
		l.flush(c)
	}
	if c.out != nil {
		l.checkLag(c)
	}
	return true
}
