package relay

import (
	"bytes"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// How much may be without an outcome while the door is closed. Publications
// beyond it are refused.
const (
	maxWaiting      = 1 << 16
	maxWaitingBytes = 64 << 20
)

// item is a publication that found the door closed.
type item struct {
	// Static after enqueue.
	p    wire.Publication
	done func(engine.Ack, error)

	// Guarded by Engine.mu.
	since     time.Time // when it began to wait
	taken     bool      // it is on its way somewhere
	withdrawn bool      // nobody waits for it
}

// enqueue has a publication wait. It returns nil when the door is open again.
func (d *Engine) enqueue(p wire.Publication, done func(engine.Ack, error)) (*item, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.mode == owning:
		return nil, nil
	case d.mode == stopped:
		return nil, errStopping
	case d.count >= maxWaiting || d.bytes+len(p.Data) > maxWaitingBytes:
		return nil, errBehind
	}
	p.Data = bytes.Clone(p.Data) // the caller's only during the call
	i := &item{p: p, done: done, since: time.Now()}
	d.queue = append(d.queue, i)
	d.count++
	d.bytes += len(p.Data)
	if d.mode == following {
		d.link.wake()
	} else {
		d.watch()
	}
	return i, nil
}

// dequeue takes all that wait; they are on their way then. The caller holds
// mu.
func (d *Engine) dequeue() []*item {
	batch := d.queue[:0]
	for _, i := range d.queue {
		if !i.withdrawn {
			i.taken = true
			batch = append(batch, i)
		}
	}
	d.queue = nil
	return batch
}

// requeue puts those back that went nowhere, before all others. The caller
// holds mu.
func (d *Engine) requeue(list []*item) {
	now := time.Now()
	for _, i := range list {
		i.taken, i.since = false, now
	}
	d.queue = append(list, d.queue...)
	d.watch()
}

// withdraw takes a publication back, unless it is on its way.
func (d *Engine) withdraw(i *item) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i.taken || i.withdrawn {
		return false
	}
	i.withdrawn = true
	d.left(i)
	return true
}

// left counts a publication as one with an outcome. The caller holds mu.
func (d *Engine) left(i *item) {
	d.count--
	d.bytes -= len(i.p.Data)
}

// settle tells the outcome of a publication that was taken.
func (d *Engine) settle(i *item, ack engine.Ack, err error) {
	d.mu.Lock()
	d.left(i)
	d.mu.Unlock()
	i.done(ack, err)
}

// watch sees to it that nobody waits for longer than Patience. The caller
// holds mu.
func (d *Engine) watch() {
	if d.timer == nil && len(d.queue) > 0 {
		d.timer = time.AfterFunc(Patience-time.Since(d.queue[0].since), d.expire)
	}
}

// expire refuses what has waited for too long.
func (d *Engine) expire() {
	d.mu.Lock()
	d.timer = nil
	var late []*item
	if d.mode == waiting {
		for len(d.queue) > 0 && (d.queue[0].withdrawn || time.Since(d.queue[0].since) >= Patience) {
			if i := d.queue[0]; !i.withdrawn {
				i.taken = true
				late = append(late, i)
			}
			d.queue = d.queue[1:]
		}
		d.watch()
	}
	d.mu.Unlock()
	for _, i := range late {
		d.settle(i, engine.Ack{}, errWaited)
	}
}
