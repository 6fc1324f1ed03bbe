//go:build linux

package oracle

import "time"

// kind says what an event is.
type kind uint8

const (
	fresh   kind = iota // subscribed without a place to resume from
	again               // subscribed while it was subscribed already
	resumed             // subscribed with a place
	message
	gap
	over // unsubscribed, or the connection has ended
)

// event is one thing that a client learned of a channel.
type event struct {
	kind kind
	life int32
	at   time.Duration
	// id is where a message stands, the place that a subscribe was answered
	// with, or the after of a gap.
	id    id
	since id     // resumed: the place that the client gave
	n     int    // message: its number; resumed: how many are replayed
	ok    bool   // resumed: recovered
	why   string // gap: its reason; over: what was it
}

// state is how a client stands to a channel within one connection.
type state uint8

const (
	idle    state = iota
	asked         // a subscribe is on its way
	live          // it was answered
	leaving       // an unsubscribe is on its way
)

// track is what one client learned of one channel, over all its connections.
type track struct {
	channel *channel
	journal bool // gaps may stand anywhere in a log
	events  []event

	place id // where it would resume from; zero before it ever subscribed

	// Within one connection.
	state state
	since id // what the subscribe under way gives
	due   int
	top   id   // where the replay under way ends
	owed  bool // before it, a gap

	// blind is set where it was subscribed without a place and the answer cut
	// off: the id of an earlier event may be all that says where it began.
	blind *event
}

// note writes down an event.
func (t *track) note(e event) { t.events = append(t.events, e) }

// subscribed takes an answer to a subscribe.
func (t *track) subscribed(e event, recovered bool) {
	switch {
	case t.state != asked:
		e.kind = again
		t.place = e.id
	case t.since == id{}:
		e.kind = fresh
		t.place = e.id
	default:
		e.kind, e.since, e.ok = resumed, t.since, recovered
		t.due, t.top, t.owed = e.n, e.id, !recovered
		if t.journal && !recovered {
			t.top = id{} // nobody knows how many gaps are to be told
		}
		t.reached()
	}
	if t.state != leaving {
		t.state = live
	}
	t.note(e)
}

// reached moves the place on when all that was to be replayed has come.
func (t *track) reached() {
	if t.due == 0 && !t.owed && t.top != (id{}) {
		t.place, t.top = t.top, id{}
	}
}

// gap takes a gap.
func (t *track) gap(e event) {
	t.note(e)
	t.owed = false
	t.reached()
}

// message takes a message.
func (t *track) message(e event) {
	t.place = e.id
	if t.due > 0 && t.top != (id{}) && e.id.epoch == t.top.epoch && e.id.seq <= t.top.seq {
		t.due--
		t.reached()
	}
	t.note(e)
}

// ended takes the end of a subscription.
func (t *track) ended(life int32, at time.Duration, why string) {
	if t.state != idle {
		t.note(event{kind: over, life: life, at: at, why: why})
	}
	t.state, t.due, t.top, t.owed, t.since = idle, 0, id{}, false, id{}
}
