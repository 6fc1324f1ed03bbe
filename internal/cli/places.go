package cli

import "holdfast.dev/holdfast/internal/wire"

// places is where a subscription stands in each of its channels, so that a
// new connection goes on where the last one ended.
type places map[string]*place

// place is where a subscription stands in one channel.
type place struct {
	at    wire.ID // the last message seen, or what stands for it
	known bool    // at is set
	// live is where the server goes on after a loss that it has not told yet;
	// nothing that it still holds lies before. It counts when the loss is told:
	// a connection that breaks before that must ask from the old place again.
	live wire.ID
}

// start makes channel go on behind id.
func (p places) start(channel string, id wire.ID) { p[channel] = &place{at: id, known: true} }

// since returns what channel is to be resumed from, empty when that is not
// known.
func (p places) since(channel string) string {
	if at := p[channel]; at != nil && at.known {
		return at.at.String()
	}
	return ""
}

// see takes a frame into account. It reports false for a message that was
// seen before and must not be shown again.
func (p places) see(head frameHead) bool {
	if head.Channel == "" {
		return true
	}
	at := p[head.Channel]
	if at == nil {
		at = &place{}
		p[head.Channel] = at
	}
	id, err := wire.ParseID(head.ID)
	switch {
	case head.Type == "gap":
		at.advance(at.live)
	case err != nil:
	case head.Type == "message":
		return at.message(id)
	case head.Type == "subscribed":
		at.subscribed(id, head)
	}
	return true
}

// subscribed is told from where on the server sends everything. What it
// replays before that moves the place message by message.
func (p *place) subscribed(id wire.ID, head frameHead) {
	p.live = wire.ID{}
	switch {
	case !p.known:
		p.at, p.known = id, true
	case head.Recovered == nil || head.Replayed > 0:
	case *head.Recovered:
		p.advance(id)
	default:
		p.live = id
	}
}

// message reports whether the message is one that was not seen before. Ids
// of different epochs do not compare; the server tells of the gap between.
func (p *place) message(id wire.ID) bool {
	if p.known && id.Epoch == p.at.Epoch && id.Seq <= p.at.Seq {
		return false
	}
	p.at, p.known = id, true
	return true
}

// advance moves the place to id, unless it is behind that already.
func (p *place) advance(id wire.ID) {
	if id != (wire.ID{}) && (id.Epoch != p.at.Epoch || id.Seq > p.at.Seq) {
		p.at = id
	}
	p.live = wire.ID{}
}
