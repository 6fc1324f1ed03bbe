package transport

import (
	"slices"
	"strconv"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/wire"
)

// eventWriter makes the events of one cursor's entries. A loop has one.
type eventWriter struct {
	before, after []byte // of the client's place, around the id of the channel
	epoch         string
	placed        bool  // the entries have a place that is said
	ends          []int // where each event ends in what was made
}

// begin gets ready for the entries of a cursor.
func (w *eventWriter) begin(v *events, k *cursor) {
	w.before, w.after, w.ends = w.before[:0], w.after[:0], w.ends[:0]
	if w.placed = k.standing >= 0; w.placed {
		w.before, w.after = v.around(w.before, w.after, int(k.standing))
		w.epoch = v.standings[k.standing].feed.Epoch()
	}
}

// head appends what stands before the data of an entry.
func (w *eventWriter) head(dst []byte, e *chanlog.Entry) []byte {
	if !w.placed {
		return appendEventHead(dst, entryKind(e.Kind), nil)
	}
	dst = append(append(dst, "event: "...), entryKind(e.Kind)...)
	dst = append(append(dst, "\nid: "...), w.before...)
	dst = append(append(dst, w.epoch...), '-')
	dst = append(strconv.AppendUint(dst, e.Seq, 10), w.after...)
	return append(append(dst, '\n'), dataField...)
}

// most bounds the size of an entry's event, if its data is one line.
func (w *eventWriter) most(e *chanlog.Entry) int {
	const fixed = len("event: presence\nid: -18446744073709551615\n" + dataField + eventEnd)
	return fixed + len(w.before) + len(w.epoch) + len(w.after) + len(e.JSON())
}

// spillEvents returns what the first cursor has yet to send, as far as the
// loop's buffer has room. An event that is too long for that is begun instead
// and nil returned.
func (l *Loop) spillEvents(o *outbox) []byte {
	k, w := &o.cursors[0], &l.writer
	w.begin(o.events, k)
	buf := l.spill[:0]
	for e := k.next; ; e = e.Next() {
		json := e.JSON()
		if len(buf)+w.most(e) > cap(buf) || !oneLine(json) {
			break
		}
		buf = append(append(w.head(buf, e), json...), eventEnd...)
		if w.ends = append(w.ends, len(buf)); e == k.last {
			break
		}
	}
	if len(buf) == 0 {
		l.beginEvent(o)
		return nil
	}
	return buf
}

// beginEvent makes the event of the first cursor's next entry what is due
// first. Its data is not copied, unless it has to be changed.
func (l *Loop) beginEvent(o *outbox) {
	k, v := &o.cursors[0], o.events
	e := k.next
	o.rest = l.writer.head(nil, e)
	if v.json, v.tail = e.JSON(), true; !oneLine(v.json) {
		head := o.rest
		o.rest = appendEvent(nil, entryKind(e.Kind), nil, v.json)[len(appendEventHead(nil, entryKind(e.Kind), nil)):]
		o.rest = append(head, o.rest...)
		v.json, v.tail = nil, false
	}
	o.lag += len(o.rest)
	l.Delivered.Add(1)
	l.passEvent(o)
}

// passEvent notes that the event of the first cursor's next entry is on its
// way, and reports whether it was the last.
func (l *Loop) passEvent(o *outbox) (done bool) {
	k := &o.cursors[0]
	if k.standing >= 0 {
		o.events.standings[k.standing].id = wire.ID{Epoch: l.writer.epoch, Seq: k.next.Seq}
	}
	o.passed(k)
	if done = k.next == k.last; !done {
		k.next = k.next.Next()
	} else if f := o.remove(0); f != nil {
		l.settle(f)
	}
	return done
}

// spilledEvents notes that n bytes of what spillEvents made went out. The
// rest of an event that has begun is due next.
func (l *Loop) spilledEvents(o *outbox, made []byte, n int) {
	start := 0
	for _, end := range l.writer.ends {
		if n <= start {
			return
		}
		e := o.cursors[0].next
		l.Delivered.Add(1)
		l.passEvent(o)
		if n < end {
			data := end - len(eventEnd) - len(e.JSON()) // where it begins
			o.events.keepRest(o, e.JSON(), made[min(n, data):data], max(0, n-data))
		}
		start = end
	}
}

// keepRest has the rest of an event sent: what is left of its head, and its
// data from the byte at from on.
func (v *events) keepRest(o *outbox, json, head []byte, from int) {
	switch {
	case len(head) > 0:
		o.rest, v.json, v.tail = slices.Clone(head), json, true
	case from < len(json):
		o.rest, v.tail = json[from:], true
	default:
		o.rest = []byte(eventEnd)[from-len(json):]
	}
	o.lag += len(o.rest)
}

// begun makes the next part of an event that has begun what is due first. It
// reports false when there is none.
func (v *events) begun(o *outbox) bool {
	switch {
	case len(v.json) > 0:
		o.rest, v.json = v.json, nil
	case v.tail:
		o.rest, v.tail = []byte(eventEnd), false
	default:
		return false
	}
	o.lag += len(o.rest)
	return true
}

// tellLost has the gap before the first cursor told next, as an event.
func (v *events) tellLost(o *outbox, frame []byte) {
	k := &o.cursors[0]
	var id []byte
	if k.standing >= 0 {
		s := &v.standings[k.standing]
		s.id = wire.ID{Epoch: s.feed.Epoch(), Seq: k.next.Seq - 1}
		id = v.appendID(nil)
	}
	o.rest = appendEvent(nil, "gap", id, frame)
}
