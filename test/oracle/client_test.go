//go:build linux

package oracle

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// life is one connection of a client, for the report.
type life struct {
	plan      *plan
	begun     time.Duration
	connected time.Duration // 0 when it never was
	ended     time.Duration
	query     string
	read      int
	err       error  // that ended it, nil when the client did
	status    int    // that the server answered the handshake with
	code      int    // that the server closed it with
	said      string // what the server said to either
}

// client connects again and again and writes down what it sees.
type client struct {
	trial  *trial
	number int
	temper temper
	rng    *rand.Rand
	buffer int // of its socket, in bytes; 0 is the system's own
	tracks []*track
	named  map[string]*track
	lives  []*life
	pages  []page
	last   string // id of the newest event, if the connection before was SSE
	wanted int    // channels that it asked for then
	faults []string

	broadcast *track // the last of tracks
}

func newClient(t *trial, number int) *client {
	c := &client{trial: t, number: number, rng: rand.New(rand.NewPCG(t.seed, uint64(number)+1)), named: make(map[string]*track)}
	c.temper = temper([]int{0, 0, 0, 0, 0, 1, 1, 2, 2, 2}[c.rng.IntN(10)])
	if c.temper == slow || chance(c.rng, 20) {
		c.buffer = 4096
	}
	for _, ch := range t.book.channels {
		if ch.name == "broadcast" || chance(c.rng, c.share(ch.name)) {
			c.follow(ch)
		}
	}
	return c
}

// share is how many of a hundred clients of its kind want a channel.
func (c *client) share(channel string) int {
	switch kind, _, _ := strings.Cut(channel, "-"); kind {
	case "hot":
		return 25
	case "fat":
		if c.temper == slow {
			return 50
		}
		return 10
	case "warm":
		return 15
	}
	return 15
}

func (c *client) follow(ch *channel) {
	t := &track{channel: ch, journal: c.trial.journal}
	c.tracks = append(c.tracks, t)
	c.named[ch.name] = t
	if ch.name == "broadcast" {
		c.broadcast = t
	}
}

// own is how many channels the client has beside broadcast, which comes last.
func (c *client) own() int { return len(c.tracks) - 1 }

// run lives one connection after the other until the trial is quiet, then one
// more in which it must come to the end of every channel.
func (c *client) run() {
	sse := false
	for !c.trial.quiet() {
		p := draw(c.rng, c.temper, max(1, c.own()), sse)
		sse = p.sse
		p.query = p.query[:min(len(p.query), c.own())]
		if c.own() == 0 {
			p.ops = nil
		}
		if c.live(p) {
			c.trial.pause(p.away)
		} else {
			c.trial.pause(20 * time.Millisecond)
		}
	}
	<-c.trial.finals
	deadline, retry := time.Now().Add(patience), time.NewTicker(20*time.Millisecond)
	defer retry.Stop()
	for ; !c.finished() && time.Now().Before(deadline); <-retry.C {
		p := &plan{bytes: 1 << 30, span: time.Until(deadline), chunk: 1 << 16, end: goodbye, final: true}
		for i, t := range c.tracks[:c.own()] {
			if t.place != (id{}) {
				p.query = append(p.query, i)
			}
		}
		c.live(p)
	}
}

// finished reports whether the client has come to the end of all channels
// that it ever subscribed to.
func (c *client) finished() bool {
	if c.trial.last == nil {
		return true
	}
	for _, t := range c.tracks {
		if last := c.trial.last[t.channel]; t.place != (id{}) && (t.place.epoch != last.epoch || t.place.seq < last.seq) {
			return false
		}
	}
	return true
}

// live makes one connection and reports whether there was one.
func (c *client) live(p *plan) bool {
	n := &life{plan: p, begun: c.trial.book.now()}
	c.lives = append(c.lives, n)
	v := visit{client: c, life: n, number: int32(len(c.lives) - 1)}
	err := v.open()
	if err == nil {
		err = v.read()
	}
	n.ended = c.trial.book.now()
	v.close(err)
	return n.connected > 0
}

// wrong notes something that is a fault whatever else happened.
func (c *client) wrong(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf("connection %d: ", len(c.lives)-1)+fmt.Sprintf(format, args...))
}
