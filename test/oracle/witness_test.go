//go:build linux

package oracle

import (
	"fmt"
	"slices"
	"time"
)

// witness goes through what one client saw of one channel and holds it against
// what was published.
type witness struct {
	*judge
	client *client
	track  *track

	i     int           // the event being looked at
	place id            // up to here nothing is missing, or it was told; zero when nothing was promised
	since time.Duration // what place stands for existed no later
	last  id            // the newest message seen
	gaps  []int         // events that tell of gaps, since the newest message
	loss  bool          // something that they tell of is missing

	// Of the resume under way.
	promise int  // its event, -1 for none
	due     int  // messages that were announced and have not come
	owed    bool // a gap that was announced and has not come
}

func (w *witness) wrong(format string, args ...any) {
	w.faults = append(w.faults, fault{
		text: fmt.Sprintf(format, args...), channel: w.track.channel, client: w.client, track: w.track, event: w.i,
	})
}

func (w *witness) text(i id) string { return w.book.text(i) }

func (w *witness) run() {
	w.promise = -1
	for w.i = range w.track.events {
		e := &w.track.events[w.i]
		switch e.kind {
		case fresh:
			w.fresh(e)
		case again:
			w.again(e)
		case resumed:
			w.resumed(e)
		case message:
			w.message(e)
		case gap:
			w.gap(e)
		case over:
			w.promise = -1
		}
	}
	last, end := w.trial.last[w.track.channel], w.track.place
	if w.place != (id{}) && w.place != end {
		w.moveTo(end, &event{kind: over})
	}
	if w.i = len(w.track.events) - 1; w.place != (id{}) && (w.place.epoch != last.epoch || w.place.seq < last.seq) {
		w.wrong("it never came to the last message, %s", w.text(last))
	}
}

// fresh: the client has no claim to anything older.
func (w *witness) fresh(e *event) {
	w.future(e)
	w.place, w.since, w.last = e.id, w.client.lives[e.life].begun, id{} // it may have been read late
	w.forget()
}

// future checks that a place does not lie ahead of what is published later.
func (w *witness) future(e *event) {
	list := w.track.channel.between(e.id.epoch, 0, e.id.seq+1)
	for k := len(list) - 1; k >= 0 && k >= len(list)-50; k-- {
		if f := list[k]; f.what.sent() > e.at {
			w.wrong("it is said to be live from %s, and number %d has a place before that although it was only published later", w.text(e.id), f.what.n)
			return
		}
	}
}

// again: the answer names the client's own place.
func (w *witness) again(e *event) {
	if w.last.epoch == e.id.epoch && e.id.seq < w.last.seq && !w.crashed(e.at) {
		w.wrong("subscribed again, its place is said to be %s; it has seen %s", w.text(e.id), w.text(w.last))
	}
	w.moveTo(e.id, e)
}

// moveTo moves the place without a message.
func (w *witness) moveTo(to id, e *event) {
	if w.place.epoch == to.epoch {
		w.lost(e, w.place, to.seq+1)
	}
	w.place = to
}

func (w *witness) resumed(e *event) {
	w.resumes++
	w.replayed += e.n
	w.future(e)
	switch {
	case e.since == w.place:
	case w.last.epoch == e.since.epoch && e.since.seq < w.last.seq:
		w.wrong("the place to resume from, %s, lies before %s, which it has seen", w.text(e.since), w.text(w.last))
	default:
		w.moveTo(e.since, e)
	}
	w.promise, w.due = w.i, e.n
	w.forget() // what is missing must be told again
	if w.owed = !e.ok; e.ok && e.id.epoch != e.since.epoch {
		w.wrong("recovered from another epoch")
	}
}

func (w *witness) message(e *event) {
	w.messages++
	switch {
	case w.place.epoch != e.id.epoch:
		if !w.told("restarted") {
			w.wrong("a message of another epoch, and no gap says so")
		}
	case e.id.seq <= w.place.seq:
		w.wrong("message %s comes again, or late: it was at %s already", w.text(e.id), w.text(w.place))
	default:
		w.lost(e, w.place, e.id.seq)
	}
	w.replay(e)
	w.place, w.last = e.id, e.id
	w.forget()
	w.since = w.track.channel.publications[min(e.n, len(w.track.channel.publications))-1].sent()
}

// forget has the gaps so far excuse nothing any more.
func (w *witness) forget() { w.gaps, w.loss = nil, false }

// replay counts what was announced.
func (w *witness) replay(e *event) {
	if w.promise < 0 {
		return
	}
	r := &w.track.events[w.promise]
	if e.id.epoch == r.id.epoch && e.id.seq <= r.id.seq {
		if w.due--; w.due < 0 {
			w.wrong("%d messages were said to be replayed; there are more", r.n)
			w.promise = -1
		}
		return
	}
	if w.owed {
		w.wrong("it was not recovered, and no gap is told")
	}
	if w.due > 0 {
		w.wrong("%d messages were said to be replayed; %d of them did not come", r.n, w.due)
	}
	w.promise = -1
}

func (w *witness) told(reason string) bool {
	return slices.ContainsFunc(w.gaps, func(i int) bool { return w.track.events[i].why == reason })
}

// gap: what lies behind its place and before the next message may be missing.
func (w *witness) gap(e *event) {
	w.tally.gaps[e.why]++
	if w.place.epoch == e.id.epoch {
		if e.id.seq < w.place.seq && len(w.gaps) == 0 && e.why != "restarted" { // a crash may have lost what it saw
			w.wrong("a gap after %s, though it was at %s already", w.text(e.id), w.text(w.place))
		}
		if lost := w.track.channel.between(e.id.epoch, w.place.seq, e.id.seq+1); len(lost) > 0 && len(w.gaps) == 0 {
			w.wrong("the gap begins after %s, but number %d is missing before that", w.text(e.id), lost[0].what.n)
		}
	}
	if w.promise >= 0 && w.track.events[w.promise].ok && e.why != "too_slow" {
		w.wrong("recovered, it was said, and a gap follows among what is replayed")
	}
	w.gaps = append(w.gaps, w.i)
	w.justified(e)
	if w.owed = false; e.why == "too_slow" {
		w.promise = -1 // what was to be replayed may be among what is lost
	}
}
