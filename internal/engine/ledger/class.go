package ledger

import (
	"math"
	"time"
)

// class is the records of a shard that follow the same rule. Its queue is a
// heap of those that hold messages, by when the oldest of them was published.
// That is looked at when a record comes to the head, not when a message is
// dropped: until then it stands for a time that is too early, never too late.
type class struct {
	Keep
	age   uint32 // seconds, never for without end
	queue []waiting
}

// waiting is a record in a queue.
type waiting struct {
	record *record
	at     uint32 // Unix seconds; its oldest message is no older
}

func (c *class) init(k Keep) {
	c.Keep = k
	c.age = never
	if secs := math.Ceil(k.Age.Seconds()); k.Age > 0 && secs < never {
		c.age = uint32(secs)
	}
	if k.Messages == 0 {
		c.age = idle
	}
}

// old reports whether what was published at a second is too old.
func (c *class) old(at uint32, now time.Time) bool {
	return c.age != never && now.Unix() > int64(at)+int64(c.age)
}

// overdue reports whether the head of the queue is to be looked at.
func (c *class) overdue(now time.Time) bool {
	return len(c.queue) > 0 && c.old(c.queue[0].at, now)
}

// enqueue makes sure that a record stands in its class's queue. The caller
// holds mu.
func (s *shard) enqueue(r *record, at uint32) {
	if r.due {
		return
	}
	r.due = true
	c := &s.classes[r.class]
	c.queue = append(c.queue, waiting{r, at})
	c.up(len(c.queue) - 1)
	s.age(c)
}

// requeue puts the head of a queue where it belongs now. One that holds
// nothing leaves it, and is given back if nobody listens. The caller holds
// mu.
func (s *shard) requeue(c *class) {
	r := c.queue[0].record
	if _, at, ok := r.log.Front(); ok {
		c.queue[0].at = at
	} else {
		r.due = false
		last := len(c.queue) - 1
		c.queue[0], c.queue[last] = c.queue[last], waiting{}
		c.queue = c.queue[:last]
		if !s.ledger.sink.Listens(r.name) {
			s.forget(r)
		}
	}
	c.down()
	s.age(c)
}

// age publishes how old the oldest message of the shard is. The caller holds
// mu, and c is the class whose queue changed.
func (s *shard) age(c *class) {
	at := uint32(never)
	for i := range s.classes {
		if q := s.classes[i].queue; len(q) > 0 {
			at = min(at, q[0].at)
		}
	}
	if at != s.ledger.oldest[s.index].Load() {
		s.ledger.oldest[s.index].Store(at)
	}
}

func (c *class) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if c.queue[parent].at <= c.queue[i].at {
			return
		}
		c.queue[parent], c.queue[i] = c.queue[i], c.queue[parent]
		i = parent
	}
}

func (c *class) down() {
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(c.queue) {
			return
		}
		if child+1 < len(c.queue) && c.queue[child+1].at < c.queue[child].at {
			child++
		}
		if c.queue[i].at <= c.queue[child].at {
			return
		}
		c.queue[i], c.queue[child] = c.queue[child], c.queue[i]
		i = child
	}
}
