//go:build linux

package oracle

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// temper is how a client behaves.
type temper uint8

const (
	jumpy temper = iota // short connections, soon back
	calm                // long ones
	slow                // reads slowly, stalls, takes in little at a time
)

func (t temper) String() string { return [...]string{"jumpy", "calm", "slow"}[t] }

// ending is how a connection ends if the server does not end it.
type ending uint8

const (
	reset   ending = iota // RST, wherever it is
	torn                  // RST behind half a frame of its own
	hangup                // FIN without a word
	goodbye               // a close frame
)

func (e ending) String() string {
	return [...]string{"RST", "RST in its own frame", "FIN", "goodbye"}[e]
}

// act is something that a client does during a connection.
type act uint8

const (
	leave   act = iota // unsubscribe
	join               // subscribe, with its place if it has one
	forget             // subscribe without a place
	twice              // subscribe though it is subscribed
	look               // ask for history behind its place
	newest             // ask for the newest history
	stall              // stop reading
	harmful            // a frame that is a fault
)

func (a act) String() string {
	return [...]string{"leave", "join", "join anew", "join twice", "history", "newest", "stall", "harm"}[a]
}

// op is an act and when it is due.
type op struct {
	at      time.Duration // after the connection was made; 0 is together with the handshake
	act     act
	channel int // of the client's own
	long    time.Duration
	nag     bool // behind a stall: subscribe to everything again before reading on
}

// plan is one connection, as drawn before it is made.
type plan struct {
	sse     bool
	deflate bool
	query   []int // of the client's channels, those to be named in the query
	frames  bool  // these are subscribed to by one frame instead
	blank   bool  // the places are not given
	bytes   int   // read at most
	span    time.Duration
	chunk   int           // bytes a read, at most
	every   time.Duration // pause between reads
	ops     []op
	end     ending
	away    time.Duration // before the next one
	final   bool          // it lasts until there is nothing more to come
}

// String says what the plan is.
func (p *plan) String() string {
	var s strings.Builder
	how := "WebSocket"
	if p.sse {
		how = "SSE"
	}
	fmt.Fprintf(&s, "%s, channels %v", how, p.query)
	if p.frames {
		s.WriteString(" by a frame")
	}
	if p.blank {
		s.WriteString(" without since")
	}
	fmt.Fprintf(&s, ", at most %d bytes in %v, then %v, away %v", p.bytes, p.span, p.end, p.away)
	if p.every > 0 {
		fmt.Fprintf(&s, ", reads %d bytes each %v", p.chunk, p.every)
	}
	for _, o := range p.ops {
		fmt.Fprintf(&s, "; at %v %v %d", o.at, o.act, o.channel)
		if o.long > 0 {
			fmt.Fprintf(&s, " for %v", o.long)
		}
		if o.nag {
			s.WriteString(", then join all twice")
		}
	}
	return s.String()
}

func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

// between draws a time, mostly near the lower bound.
func between(r *rand.Rand, low, high time.Duration) time.Duration {
	f := r.Float64()
	return (low + time.Duration(f*f*float64(high-low))).Round(time.Millisecond)
}

// draw draws the next connection of a client with so many channels. sse is
// whether the one before was SSE.
func draw(r *rand.Rand, t temper, channels int, sse bool) *plan {
	p := &plan{chunk: 1 << 16}
	if p.sse = chance(r, 25); sse {
		p.sse = chance(r, 70)
	}
	p.deflate = chance(r, 25)
	p.frames = chance(r, 40) && !p.sse
	p.blank = chance(r, 4)
	for i := range channels {
		if chance(r, 80) {
			p.query = append(p.query, i)
		}
	}
	r.Shuffle(len(p.query), func(i, j int) { p.query[i], p.query[j] = p.query[j], p.query[i] })
	switch t {
	case jumpy:
		p.span, p.away = between(r, 5*time.Millisecond, 1200*time.Millisecond), between(r, 0, 900*time.Millisecond)
		p.bytes = 200 + r.IntN(1<<(8+r.IntN(10)))
	case calm:
		p.span, p.away = between(r, time.Second, 5*time.Second), between(r, 0, 300*time.Millisecond)
		p.bytes = 1 << 30
	case slow:
		p.span, p.away = between(r, 500*time.Millisecond, 4*time.Second), between(r, 0, 500*time.Millisecond)
		p.bytes = 1 << 30
		if chance(r, 50) {
			p.chunk, p.every = 256<<r.IntN(6), between(r, time.Millisecond, 20*time.Millisecond)
		}
		for range r.IntN(3) {
			p.ops = append(p.ops, op{at: between(r, 0, p.span), act: stall, long: between(r, 50*time.Millisecond, 3*time.Second), nag: chance(r, 50) && !p.sse})
		}
	}
	if !p.sse {
		p.end = ending(r.IntN(4))
		p.drawOps(r, channels)
	} else if p.end = reset; chance(r, 30) {
		p.end = hangup
	}
	return p
}

func (p *plan) drawOps(r *rand.Rand, channels int) {
	for range r.IntN(7) {
		o := op{act: act(r.IntN(int(stall))), channel: r.IntN(channels)}
		switch r.IntN(10) {
		case 0, 1: // at once
		case 2, 3:
			o.at = time.Duration(r.IntN(5)) * time.Millisecond
		default:
			o.at = between(r, 0, p.span)
		}
		if chance(r, 3) {
			o.act = harmful
		}
		p.ops = append(p.ops, o)
	}
	slices.SortStableFunc(p.ops, func(a, b op) int { return cmp.Compare(a.at, b.at) })
}
