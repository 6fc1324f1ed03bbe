//go:build linux

package oracle

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// judge compares what clients saw with what was published.
type judge struct {
	*trial
	found  map[*channel]map[id]*fact
	faults []fault
	tally
}

// fault is something that must not be.
type fault struct {
	text    string
	channel *channel
	client  *client
	track   *track
	event   int // of the track, at which it shows
}

// tally counts what a trial has put to the test.
type tally struct {
	connections, resumes, messages, replayed, looks int
	gaps                                            map[string]int // by their reasons
	closed                                          map[int]int    // by their codes

	// worst is how long before a crash something was acknowledged that is lost.
	worst time.Duration
}

func (j *judge) fault(c *channel, text string) {
	j.faults = append(j.faults, fault{text: text, channel: c})
}

// judge finds every fault of the trial.
func (t *trial) judge() *judge {
	j := &judge{trial: t, found: make(map[*channel]map[id]*fact), tally: tally{gaps: make(map[string]int), closed: make(map[int]int)}}
	j.facts()
	for _, c := range t.clients {
		for _, text := range c.faults {
			j.faults = append(j.faults, fault{text: text, client: c})
		}
		j.lives(c)
		for _, tr := range c.tracks {
			w := witness{judge: j, client: c, track: tr}
			w.run()
		}
	}
	for _, q := range j.allPages() {
		j.page(&q)
	}
	j.epochs()
	return j
}

func (j *judge) allPages() []page {
	all := j.pages
	for _, c := range j.clients {
		all = append(all, c.pages...)
	}
	return all
}

// epochs checks that an epoch lasts as long as what was published does.
func (j *judge) epochs() {
	least, most := 1, 1
	if n := len(j.book.restarts); !j.journal && n > 0 {
		least, most = 2, n+1 // nobody may have been there between two
	}
	if n := j.book.count(); n < least || n > most {
		j.fault(nil, fmt.Sprintf("%d epochs were seen, want %d to %d", n, least, most))
	}
}

// lives checks how connections ended.
func (j *judge) lives(c *client) {
	for i, n := range c.lives {
		if n.connected > 0 {
			j.connections++
			j.closed[n.code]++
		}
		if text := j.odd(c, n); text != "" {
			j.faults = append(j.faults, fault{text: fmt.Sprintf("connection %d: %s", i, text), client: c})
		}
	}
}

// odd says why a connection should not have ended so.
func (j *judge) odd(c *client, n *life) string {
	shaken, crashed := false, false
	for _, r := range j.book.restarts {
		if n.begun <= r.up && n.ended >= r.killed {
			shaken, crashed = true, crashed || r.crash
		}
	}
	switch {
	case n.status != 0 && n.status != 101 && n.status != 200:
		if n.status != 503 || !shaken {
			return fmt.Sprintf("refused with %d %s", n.status, n.said)
		}
	case n.code == 4008:
		asks := slices.ContainsFunc(n.plan.ops, func(o op) bool { return o.act == look || o.act == newest })
		if c.temper != slow && c.buffer == 0 && !asks { // an answer of history counts, too
			return "closed as too slow, though it was not slow"
		}
	case n.code == 1012:
		if !shaken {
			return "told of a restart that was none"
		}
	case n.code != 0 && n.code != 1000:
		return fmt.Sprintf("closed with %d %s", n.code, n.said)
	case n.err == nil, crashed, shaken && n.connected == 0, c.temper == slow:
	default:
		return fmt.Sprintf("broken off: %v", n.err)
	}
	return ""
}

// between returns the messages that existed with a seq above one and below
// another.
func (c *channel) between(epoch uint32, above, below uint64) []fact {
	list := c.facts[epoch]
	from := sort.Search(len(list), func(i int) bool { return list[i].seq > above })
	to := sort.Search(len(list), func(i int) bool { return list[i].seq >= below })
	return list[min(from, to):to]
}

// top is above every seq.
const top = 1<<64 - 1
