package transport

import (
	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

// events is what a conn has besides when its client gets Server-Sent Events:
// how far it has got in each of its channels, which is what every event that
// moves it says, so that the last one is all that a client needs to resume.
//
// Such a conn keeps its outbox for as long as it is open, empty while it is
// caught up. That is how it is told from others, at no cost to them: what is
// published is left to the outbox and flushed at once.
type events struct {
	standings []standing
	greeting  []greeted // while the client is being admitted
	gap       *moved    // what the next frame moves, if it is a gap

	// The rest of an event that has begun, behind what the outbox has of it.
	json []byte // shared, never changed
	tail bool   // the end of the event is due behind that

	discarded int // bytes that the client sent, for nothing
}

// standing is how far a client has got in one of its channels.
type standing struct {
	channel string
	feed    *hub.Feed
	id      wire.ID
}

// moved is what a gap does to a standing.
type moved struct {
	index int
	to    wire.ID
}

// greeted is a frame that waits until all places are known.
type greeted struct {
	frame []byte
	moves *moved
}

// noStanding is the index of what has none.
const noStanding = -1

// events returns what a conn has whose client gets events; nil for others.
func (c *conn) events() *events {
	if c.out == nil {
		return nil
	}
	return c.out.events
}

// index returns where the standing in a feed is, or noStanding.
func (v *events) index(f *hub.Feed) int {
	for i := range v.standings {
		if v.standings[i].feed == f {
			return i
		}
	}
	return noStanding
}

// joined notes a new channel, of which the client gets everything behind id.
func (v *events) joined(f *hub.Feed, id wire.ID) {
	if !hub.Local(f.Name()) { // a node's own channels have no places
		v.standings = append(v.standings, standing{f.Name(), f, id})
	}
}

// left notes that the client gets no more of a channel.
func (v *events) left(f *hub.Feed) {
	if i := v.index(f); i >= 0 {
		v.standings[i] = standing{} // others keep their indexes
	}
}

// resumed notes that the client comes back to a channel from since, and what
// of it is replayed before what lies behind place. Until it was told of a gap
// it stands where it stood.
func (v *events) resumed(f *hub.Feed, since, place wire.ID, replay hub.Replay, failed bool) {
	i := v.index(f)
	if i < 0 {
		return
	}
	from := place
	if !failed && replay.First != nil {
		from.Seq = replay.First.Seq - 1
	}
	switch {
	case failed || replay.Gap != "":
		v.standings[i].id = since
		v.gap = &moved{i, from}
	case replay.First != nil, since.Epoch == place.Epoch && since.Seq > place.Seq:
		v.standings[i].id = since
	}
}

// greet keeps a frame back until the places of all channels are known.
func (v *events) greet(frame []byte) {
	g := greeted{frame: append([]byte(nil), frame...)}
	if kindOf(frame) == "gap" {
		g.moves, v.gap = v.gap, nil
	}
	v.greeting = append(v.greeting, g)
}

// appendGreeting appends what a new client is told. Its place stands in the
// first event, and again where a gap moves it.
func (v *events) appendGreeting(dst []byte) []byte {
	dst = appendRetry(dst, usualRetry())
	var id []byte
	for i, g := range v.greeting {
		id = id[:0]
		if g.moves != nil {
			v.standings[g.moves.index].id = g.moves.to
		}
		if i == 0 || g.moves != nil {
			id = v.appendID(id)
		}
		dst = appendEvent(dst, kindOf(g.frame), id, g.frame)
	}
	v.greeting = nil
	return dst
}

// appendID appends where the client stands, as it is to say it when it comes
// back.
func (v *events) appendID(dst []byte) []byte {
	if len(v.standings) == 0 {
		return dst
	}
	before, after := v.around(nil, nil, 0)
	return append(v.standings[0].id.Append(append(dst, before...)), after...)
}

// around appends the client's place but for the id of one channel: what
// stands before that, and what behind it. With broadcast alone, nothing does.
func (v *events) around(before, after []byte, index int) (b, a []byte) {
	if len(v.standings) == 1 && v.standings[0].channel == wire.Broadcast {
		return before, after
	}
	for i := range v.standings {
		s := &v.standings[i]
		if s.feed == nil {
			continue
		}
		list := &before
		if i > index {
			list = &after
		}
		if i > index || len(before) > 0 {
			*list = append(*list, ',')
		}
		*list = append(append(*list, s.channel...), ':')
		if i != index {
			*list = s.id.Append(*list)
		}
	}
	return before, after
}

// entryKind returns the type of the frame that an entry is.
func entryKind(k chanlog.Kind) string {
	switch k {
	case chanlog.Message:
		return "message"
	case chanlog.Gap:
		return "gap"
	}
	return "presence"
}
