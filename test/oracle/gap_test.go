//go:build linux

package oracle

import (
	"fmt"
	"slices"
	"time"
)

// lost checks that nothing is missing between a place and a seq but what gaps
// say, and that these are true.
func (w *witness) lost(e *event, from id, below uint64) {
	missing := w.track.channel.between(from.epoch, from.seq, below)
	if len(w.gaps) == 0 {
		if len(missing) > 0 {
			w.wrong("%d messages are missing between %s and %s, and no gap says so: numbers %v", len(missing), w.text(from), w.text(id{from.epoch, below}), numbers(missing))
		}
		return
	}
	first := &w.track.events[w.gaps[0]]
	for _, f := range missing {
		if first.id.epoch == from.epoch && f.seq <= first.id.seq {
			w.wrong("number %d is missing, and the gap begins only after it", f.what.n)
		}
	}
	w.excused(missing)
	w.loss = w.loss || len(missing) > 0
	if e.kind == message && !w.loss {
		w.needless()
	}
}

// excused checks that what is missing is missing for the reason given.
func (w *witness) excused(missing []fact) {
	g := &w.track.events[w.gaps[len(w.gaps)-1]]
	if w.told("too_slow") {
		return
	}
	for k := len(missing) - 1; k >= 0; k-- {
		f := &missing[k]
		if w.expirable(f, g.at) {
			return // and so are all before it
		}
		if (w.told("restarted") || w.crashed(g.at)) && w.losable(f) {
			if age := w.beforeCrash(f); age != never {
				w.worst = max(w.worst, age)
			}
			continue
		}
		crash := ""
		if age := w.beforeCrash(f); age != never {
			crash = fmt.Sprintf(", and was acknowledged %v before the next crash", age)
		}
		w.wrong("number %d is missing; the gap says %q, which cannot be: it is among the newest %d that were published by then%s", f.what.n, g.why, w.history, crash)
		return
	}
}

// beforeCrash returns how long before the next crash a message was
// acknowledged.
func (w *witness) beforeCrash(f *fact) time.Duration {
	for _, r := range w.book.restarts {
		if r.crash && f.acked < r.up {
			return r.killed - f.acked
		}
	}
	return never
}

// expirable reports whether a message may have made room for newer ones by
// some time.
func (w *witness) expirable(f *fact, by time.Duration) bool {
	if w.fickle {
		return true
	}
	c := w.track.channel
	newer := c.open
	for _, g := range c.between(w.epochOf(f), f.seq, top) {
		if g.what.sent() < by {
			newer++
		}
		if newer >= w.history {
			return true
		}
	}
	return newer >= w.history
}

func (w *witness) epochOf(f *fact) uint32 {
	for epoch, list := range w.track.channel.facts {
		if k, ok := slices.BinarySearchFunc(list, f.seq, func(g fact, seq uint64) int { return int(g.seq) - int(seq) }); ok && list[k].what == f.what {
			return epoch
		}
	}
	return 0
}

// needless finds gaps that tell of a loss that was none.
func (w *witness) needless() {
	if w.track.channel.open > 0 {
		return
	}
	for _, i := range w.gaps {
		if g := &w.track.events[i]; g.why != "restarted" && !w.crashed(g.at) {
			w.wrong("a gap is told, %q, and nothing is missing", g.why)
		}
	}
}

// justified checks that there was a reason for a gap.
func (w *witness) justified(e *event) {
	switch e.why {
	case "expired":
	case "too_slow":
		if !w.skip {
			w.wrong("a gap for being too slow, and slow clients are to be closed")
		}
	case "restarted":
		current := w.place.epoch
		if w.promise >= 0 {
			current = w.track.events[w.promise].id.epoch
		}
		if e.id.epoch != current {
			return
		}
		if !w.crashed(e.at) {
			w.wrong("a gap for a restart, and nothing was lost by one since its place was handed out")
		}
	default:
		w.wrong("a gap for no known reason: %q", e.why)
	}
}

// crashed reports whether a crash may have lost something between the place and
// some time. What it lost is told as expired by later starts, which no longer
// know why it is missing.
func (w *witness) crashed(by time.Duration) bool {
	return slices.ContainsFunc(w.book.restarts, func(r restart) bool { return r.crash && w.since < r.up && r.killed < by })
}

func numbers(facts []fact) (all []int) {
	for _, f := range facts[:min(len(facts), 20)] {
		all = append(all, f.what.n)
	}
	return all
}
