//go:build linux

package oracle

import "fmt"

// page checks an answer of history.
func (j *judge) page(q *page) {
	j.looks++
	wrong := func(format string, args ...any) {
		since := "the newest"
		if q.since != (id{}) {
			since = "since " + j.book.text(q.since)
		}
		j.fault(q.channel, fmt.Sprintf("history, %s, asked for by %s at %v with limit %d, answered at %v with %d messages, complete %v, next %s: ",
			since, q.who, q.begun, q.limit, q.ended, len(q.ids), q.complete, j.book.text(q.next))+fmt.Sprintf(format, args...))
	}
	if len(q.ids) > q.limit {
		wrong("more than the limit")
	}
	last := id{q.next.epoch, 0}
	if q.since.epoch == q.next.epoch {
		last = q.since
	}
	for k, i := range q.ids {
		if i.epoch != q.next.epoch || i.seq <= last.seq {
			wrong("message %s comes after %s", j.book.text(i), j.book.text(last))
		}
		if lost := q.channel.between(i.epoch, last.seq, i.seq); q.complete && len(lost) > 0 && (k > 0 || q.since != id{}) {
			wrong("it is complete, and %v are missing before %s", numbers(lost), j.book.text(i))
		}
		last = i
	}
	if q.next.seq < last.seq {
		wrong("next lies before the last message")
	}
	if q.complete && q.since != (id{}) && q.since.epoch != q.next.epoch {
		wrong("complete from another epoch")
	}
	if !q.complete && q.since.epoch == q.next.epoch && len(q.ids) > 0 && len(j.book.restarts) == 0 && q.channel.open == 0 &&
		len(q.channel.between(q.since.epoch, q.since.seq, q.ids[0].seq)) == 0 {
		wrong("it is said to be incomplete, and nothing is missing")
	}
	j.pageEnd(q, last, wrong)
}

// pageEnd checks what follows the last message of a page.
func (j *judge) pageEnd(q *page, last id, wrong func(string, ...any)) {
	for _, f := range q.channel.between(last.epoch, last.seq, q.next.seq+1) {
		if q.complete && f.acked < q.begun && (q.since != id{} || !j.fickle && !j.losable(&f)) {
			wrong("next lies behind number %d, which was acknowledged before", f.what.n)
			return
		}
	}
	gaps := len(j.book.restarts) // which count towards the limit
	if len(q.ids)+gaps >= q.limit && (q.since != (id{}) || gaps > 0) || q.bytes+2*q.channel.size > q.most {
		return // there may be more
	}
	if j.fickle && (!q.complete || q.since == id{}) {
		return
	}
	for _, f := range q.channel.between(last.epoch, last.seq, top) {
		if f.acked < q.begun && !j.losable(&f) {
			wrong("number %d is missing, which was acknowledged before", f.what.n)
			return
		}
	}
}
