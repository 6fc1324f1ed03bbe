package transport

import "time"

// tick is the unit of a loop's timers, counted from the start of the loop.
// The first tick is 1, so that 0 can mean never.
type tick uint32

const (
	tickLength = 250 * time.Millisecond
	buckets    = 512 // the wheel goes round in 128 s
)

// ticks returns how many ticks d takes, at least one.
func ticks(d time.Duration) tick {
	return tick(max(1, (d+tickLength-1)/tickLength))
}

// timer is one conn's place in the wheel: linked with the others of its
// bucket by slot numbers, so the collector has nothing to follow.
type timer struct {
	prev, next int32 // slot + 1; 0 at the ends
	due        tick  // 0 while not in the wheel
}

// wheel files conns by when they are due. One entry a conn serves for all its
// deadlines; what is due is decided when it comes up.
type wheel struct {
	table *table
	now   tick
	heads [buckets]int32 // slot + 1
}

// set files c to come up after d, in place of any earlier date.
func (w *wheel) set(c *conn, after tick) {
	w.clear(c)
	c.timer.due = w.now + max(1, after)
	head := &w.heads[c.timer.due%buckets]
	c.timer.next = *head
	if *head != 0 {
		w.table.at(*head - 1).timer.prev = c.slot + 1
	}
	*head = c.slot + 1
}

// clear takes c out.
func (w *wheel) clear(c *conn) {
	t := &c.timer
	if t.due == 0 {
		return
	}
	if t.prev != 0 {
		w.table.at(t.prev - 1).timer.next = t.next
	} else {
		w.heads[t.due%buckets] = t.next
	}
	if t.next != 0 {
		w.table.at(t.next - 1).timer.prev = t.prev
	}
	*t = timer{}
}

// advance moves the clock to now and calls expire with every conn that came
// due, each taken out first. expire may set its conn again, and no other.
func (w *wheel) advance(now tick, expire func(*conn)) {
	for w.now < now {
		w.now++
		head := &w.heads[w.now%buckets]
		for slot := *head; slot != 0; {
			c := w.table.at(slot - 1)
			slot = c.timer.next
			if c.timer.due <= w.now {
				w.clear(c)
				expire(c)
			}
		}
	}
}
