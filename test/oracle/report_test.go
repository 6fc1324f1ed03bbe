//go:build linux

package oracle

import (
	"fmt"
	"strings"
	"time"
)

const (
	shown  = 3 // faults in full
	around = 8 // events before and after a fault
)

// report has the test fail with what the judge found, if anything, so that
// somebody who reads it sees what happened.
func (j *judge) report() {
	j.Logf("%d connections, %d resumes, %d messages of which %d replayed, %d pages of history, gaps %v, closes %v, %d restarts lost at most %v",
		j.connections, j.resumes, j.messages, j.replayed, j.looks, j.tally.gaps, j.closed, len(j.book.restarts), j.worst)
	if len(j.faults) == 0 {
		return
	}
	j.Errorf("%d faults. Replay with: go test ./test/oracle -run '^%s$' -oracle-seed %d -oracle-time %v -oracle-clients %d", len(j.faults), j.Name(), j.seed, *timeFlag, *clientFlag)
	for i, f := range j.faults {
		switch {
		case i < shown:
			j.Errorf("%s", j.full(&f))
		case i < 20:
			j.Errorf("%s", strings.SplitN(f.title(), "\n", 2)[0])
		}
	}
}

func (f *fault) title() string {
	var who []string
	if f.client != nil {
		who = append(who, fmt.Sprintf("client %d (%v)", f.client.number, f.client.temper))
	}
	if f.channel != nil {
		who = append(who, "channel "+f.channel.name)
	}
	return strings.Join(append(who, f.text), ": ")
}

// full tells a fault with all that belongs to it.
func (j *judge) full(f *fault) string {
	var s strings.Builder
	s.WriteString(f.title() + "\n")
	for _, r := range j.book.restarts {
		fmt.Fprintf(&s, "  restart: signal at %v, back at %v, crash %v\n", ms(r.killed), ms(r.up), r.crash)
	}
	if f.track == nil {
		if f.client != nil {
			n := f.client.lives[len(f.client.lives)-1]
			_, _ = fmt.Sscanf(f.text, "connection %d:", &f.event)
			if f.event < len(f.client.lives) {
				n = f.client.lives[f.event]
			}
			fmt.Fprintf(&s, "  %s", j.told(n))
		}
		return s.String()
	}
	from, to := max(0, f.event-around), min(len(f.track.events), f.event+around+1)
	life := int32(-1)
	for i := from; i < to; i++ {
		e := &f.track.events[i]
		if e.life != life {
			life = e.life
			fmt.Fprintf(&s, "  connection %d: %s", life, j.told(f.client.lives[life]))
		}
		mark := "   "
		if i == f.event {
			mark = ">>>"
		}
		fmt.Fprintf(&s, "  %s %8v %s\n", mark, ms(e.at), j.event(e))
	}
	j.context(&s, f)
	return s.String()
}

// context tells what was published about where a fault shows.
func (j *judge) context(s *strings.Builder, f *fault) {
	epoch, low, high := uint32(0), uint64(top), uint64(0)
	for i := max(0, f.event-2); i < min(len(f.track.events), f.event+2); i++ {
		if e := &f.track.events[i]; e.id != (id{}) {
			epoch, low, high = e.id.epoch, min(low, e.id.seq), max(high, e.id.seq)
		}
	}
	s.WriteString("  what was published there:\n")
	list := f.channel.between(epoch, low-1, high+1)
	for i, fact := range list {
		if i > 12 && i < len(list)-12 {
			continue
		}
		fmt.Fprintf(s, "    %s is %s", j.book.text(id{epoch, fact.seq}), j.published1(fact.what))
	}
}

func (j *judge) told(n *life) string {
	return fmt.Sprintf("%v to %v, %s\n      planned: %v\n      read %d bytes; ended by: code %d, status %d %s, %v\n", ms(n.begun), ms(n.ended), n.query, n.plan, n.read, n.code, n.status, n.said, n.err)
}

func (j *judge) event(e *event) string {
	switch e.kind {
	case fresh:
		return "subscribed, live from " + j.book.text(e.id)
	case again:
		return "subscribed again, at " + j.book.text(e.id)
	case resumed:
		return fmt.Sprintf("subscribed since %s, live from %s, recovered %v, %d to be replayed", j.book.text(e.since), j.book.text(e.id), e.ok, e.n)
	case message:
		return fmt.Sprintf("message %s number %d", j.book.text(e.id), e.n)
	case gap:
		return fmt.Sprintf("gap after %s: %s", j.book.text(e.id), e.why)
	}
	return e.why
}

// published1 tells what happened to one publication.
func (j *judge) published1(p *publication) string {
	var s strings.Builder
	fmt.Fprintf(&s, "number %d by publisher %d", p.n, p.publisher)
	if p.key != "" {
		s.WriteString(", key " + p.key)
	}
	for _, a := range p.attempts {
		fmt.Fprintf(&s, "; %s %v to %v %v %s", a.form, ms(a.begun), ms(a.ended), a.outcome, j.book.text(a.id)+" "+a.said)
	}
	return s.String() + "\n"
}

func ms(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
