//go:build linux

package oracle

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// fact is a message that existed: it was acknowledged, or somebody saw it.
type fact struct {
	seq  uint64
	what *publication
	// acked and latest are when it was acknowledged first and last, never
	// without an acknowledgement.
	acked, latest time.Duration
}

const never = time.Duration(1<<63 - 1)

// facts gathers what existed, from what publishers were answered and what
// clients saw, and finds what cannot be.
func (j *judge) facts() {
	for _, c := range j.book.channels {
		known := make(map[id]*fact)
		for _, p := range c.publications {
			for _, a := range p.attempts {
				if a.outcome == acked {
					j.fact(known, c, a.id, p, a.ended)
				}
			}
		}
		j.found[c] = known
	}
	for _, c := range j.clients {
		for _, t := range c.tracks {
			for i := range t.events {
				if e := &t.events[i]; e.kind == message {
					j.saw(t.channel, e.id, e.n)
				}
			}
		}
	}
	for _, q := range j.allPages() {
		for i := range q.ids {
			j.saw(q.channel, q.ids[i], q.numbers[i])
		}
	}
	for _, c := range j.book.channels {
		c.facts = make(map[uint32][]fact)
		for i, f := range j.found[c] {
			c.facts[i.epoch] = append(c.facts[i.epoch], *f)
		}
		for _, list := range c.facts {
			slices.SortFunc(list, func(a, b fact) int { return cmp.Compare(a.seq, b.seq) })
		}
		j.published(c)
	}
}

// saw takes note that somebody was shown a message.
func (j *judge) saw(c *channel, i id, n int) {
	if n > len(c.publications) {
		j.fault(c, fmt.Sprintf("%s has the number %d; only %d were published", j.book.text(i), n, len(c.publications)))
		return
	}
	j.fact(j.found[c], c, i, c.publications[n-1], never)
}

func (j *judge) fact(known map[id]*fact, c *channel, i id, p *publication, at time.Duration) {
	f := known[i]
	if f == nil {
		f = &fact{seq: i.seq, what: p, acked: never, latest: never}
		known[i] = f
	}
	if f.what != p {
		j.fault(c, fmt.Sprintf("%s is number %d and number %d: one id for two messages\n%s%s", j.book.text(i), f.what.n, p.n, j.published1(f.what), j.published1(p)))
		return
	}
	if at != never && (f.latest == never || f.latest < at) {
		f.latest = at
	}
	f.acked = min(f.acked, at)
}

// published checks how often and in which order publications came to exist.
func (j *judge) published(c *channel) {
	places := make(map[*publication][]id)
	for i, f := range j.found[c] {
		places[f.what] = append(places[f.what], i)
	}
	for _, p := range c.publications {
		all := places[p]
		if len(all) == 0 && slices.ContainsFunc(p.attempts, func(a attempt) bool { return a.outcome == uncertain }) {
			c.open++
		}
		if len(all) > 0 && !slices.ContainsFunc(p.attempts, func(a attempt) bool { return a.outcome != refused }) {
			j.fault(c, fmt.Sprintf("number %d exists though it was refused\n%s", p.n, j.published1(p)))
		}
		slices.SortFunc(all, func(a, b id) int {
			return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.seq, b.seq))
		})
		for k := 1; k < len(all); k++ {
			first := j.found[c][all[k-1]]
			if all[k].epoch == all[k-1].epoch && !j.losable(first) || p.key == "" {
				j.fault(c, fmt.Sprintf("number %d exists twice, as %s and as %s\n%s", p.n, j.book.text(all[k-1]), j.book.text(all[k]), j.published1(p)))
			}
		}
	}
	for _, list := range c.facts {
		j.ordered(c, list)
	}
}

// ordered checks that what one publisher published one after the other stands
// in that order.
func (j *judge) ordered(c *channel, list []fact) {
	last := make(map[int]*publication)
	for _, f := range list {
		a := f.what.attempts
		if len(a) > 1 || a[0].outcome != acked {
			continue // it may have come to exist later
		}
		if p := last[f.what.publisher]; p != nil && p.n > f.what.n {
			j.fault(c, fmt.Sprintf("publisher %d published number %d before number %d, and they stand the other way round", f.what.publisher, f.what.n, p.n))
		}
		last[f.what.publisher] = f.what
	}
}

// bound is how long a message may be acknowledged before it is on the disk,
// where that is not waited for: 50 ms are promised, and the machine may be
// busy with much else.
const bound = 500 * time.Millisecond

// losable reports whether a crash may have lost a message: one that was
// acknowledged just before it, if at all, and not since.
func (j *judge) losable(f *fact) bool {
	return slices.ContainsFunc(j.book.restarts, func(r restart) bool {
		return r.crash && !j.sync && f.what.sent() < r.up && f.acked > r.killed-bound && (f.latest == never || f.latest < r.up)
	})
}
