package transport

import (
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// behind is how many bytes count against a session's bound.
func (o *outbox) behind() int { return o.lag - len(o.rest) - o.replay }

// skip moves each cursor on to the newest entry that the conn was offered and
// notes what is lost. It returns how many messages are.
func (o *outbox) skip() (messages int) {
	for i := range o.cursors {
		k := &o.cursors[i]
		if k.feed == nil || k.next == k.last || hub.Local(k.feed.Name()) {
			continue // who comes and goes cannot be told in part
		}
		if k.lost == nil {
			k.lost = &place{k.feed.Name(), k.feed.Before(k.next)}
		}
		for k.next != k.last {
			o.passed(k)
			k.next = k.next.Next()
			messages++
		}
	}
	return messages
}

// tellLost has the gap before the first cursor told next.
func (o *outbox) tellLost(deflate bool) {
	k := &o.cursors[0]
	gap := wire.AppendGap(nil, k.lost.channel, k.lost.after, wire.GapTooSlow)
	k.lost = nil
	if o.events != nil {
		o.events.tellLost(o, gap)
	} else {
		o.rest = ws.AppendFrame(nil, ws.Text, gap)
	}
	o.lag += len(o.rest)
}
