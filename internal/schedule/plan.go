package schedule

import (
	"container/heap"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// task is one schedule with its next tick.
type task struct {
	schedule    Schedule
	publication wire.Publication
	tally       *tally
	anchor      time.Time
	due         time.Time // anchor plus a whole number of intervals
	complained  time.Time // the last failure that was logged
	unsaid      int       // failures since then
}

// advance moves due to the first tick after now and returns how many ticks it
// jumped over.
func (t *task) advance(now time.Time) (skipped int) {
	every := t.schedule.Every
	next := t.anchor.Add((now.Sub(t.anchor)/every + 1) * every)
	skipped = int(next.Sub(t.due)/every) - 1
	t.due = next
	return skipped
}

// plan orders tasks by their next tick, a heap with the earliest first.
type plan []*task

var _ heap.Interface = (*plan)(nil)

func (p plan) Len() int           { return len(p) }
func (p plan) Less(i, j int) bool { return p[i].due.Before(p[j].due) }
func (p plan) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *plan) Push(x any)        { *p = append(*p, x.(*task)) }

func (p *plan) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}
