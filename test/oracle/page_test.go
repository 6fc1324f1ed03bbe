//go:build linux

package oracle

import "time"

// page is an answer of history.
type page struct {
	channel  *channel
	who      string
	since    id // zero asks for the newest
	limit    int
	begun    time.Duration
	ended    time.Duration
	complete bool
	next     id
	bytes    int // of the answer
	most     int // bytes of an answer, at most
	ids      []id
	numbers  []int
}

// fill takes the answer.
func (q *page) fill(b *book, f frame, bytes int) (err error) {
	q.bytes = bytes
	q.ended = b.now()
	q.complete = f.Complete != nil && *f.Complete
	if q.next, err = b.parse(f.Next); err != nil {
		return err
	}
	for _, m := range f.Messages {
		i, err := b.parse(m.ID)
		if err != nil {
			return err
		}
		q.ids, q.numbers = append(q.ids, i), append(q.numbers, m.n)
	}
	return nil
}
