package relay

import (
	"context"
	"errors"
	"fmt"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
)

// Pause closes the door: from now on publications wait. It returns when none
// is under way behind it, or with an error, and the door is open again, when
// ctx is done first.
func (d *Engine) Pause(ctx context.Context) error {
	select {
	case <-d.idle: // of an earlier pause
	default:
	}
	d.mu.Lock()
	if d.mode != owning {
		d.mu.Unlock()
		return errors.New("publishing is paused already, or another process orders messages")
	}
	d.mode = waiting
	under := d.busy.Add(closed)
	d.mu.Unlock()
	for under != closed {
		select {
		case <-d.idle:
			under = d.busy.Load()
		case <-ctx.Done():
			n := d.busy.Load() - closed
			d.Resume()
			return fmt.Errorf("%d messages were still being published: %w", n, ctx.Err())
		}
	}
	return nil
}

// Resume undoes Pause: those that waited are published first, in their order.
func (d *Engine) Resume() {
	for {
		d.mu.Lock()
		batch := d.dequeue()
		if len(batch) == 0 {
			if d.mode == waiting {
				d.mode = owning
				d.busy.Add(-closed)
			}
			d.mu.Unlock()
			return
		}
		d.mu.Unlock()
		t := d.tenant.Load()
		for _, i := range batch {
			d.busy.Add(1)
			ack, later, err := t.Submit(i.p, func(ack engine.Ack, err error) {
				d.leave()
				d.settle(i, ack, err)
			})
			if !later {
				d.leave()
				d.settle(i, ack, err)
			}
		}
	}
}

// Stop ends the work of the engine behind the door, which must be paused: a
// journal writes what is left, and can be closed then. What its ledger knows
// stays readable. It returns the error of the engine's Run, or that of ctx.
func (d *Engine) Stop(ctx context.Context) error {
	old := d.tenant.Load()
	close(old.quit)
	select {
	case <-old.ended:
	case <-ctx.Done():
		return fmt.Errorf("what is left was not written in time: %w", ctx.Err())
	}
	d.move(newTenant(old.ledger, old.ledger))
	return old.err
}

// Take puts another engine behind the door, which must be paused or have lost
// its link, and opens it. Listeners read again what they may have missed.
func (d *Engine) Take(e engine.Engine, l *ledger.Ledger) {
	old := d.tenant.Load()
	select {
	case <-old.quit:
	default:
		close(old.quit)
	}
	d.move(newTenant(e, l))
	d.sink.Suspect(nil)
	d.Resume()
}

// Follow has the ledger behind the door, which must be paused, follow the
// process at the other end of a link. Publications go there from now on. Done
// of the link says when that is over: publications wait then for Promote or
// Take.
func (d *Engine) Follow(l *Link) {
	d.Ledger().Freeze()
	d.mu.Lock()
	d.mode, d.link = following, l
	d.mu.Unlock()
	l.wake()
	d.jobs <- func(ctx context.Context) error {
		l.run(ctx, d)
		return nil
	}
}

// Promote makes the ledger that followed a link the owner, after that has
// ended, and opens the door. Unless the other process said goodbye, seqs jump
// and every channel has a gap.
func (d *Engine) Promote() {
	d.mu.Lock()
	lost := d.lost
	d.mu.Unlock()
	d.Ledger().Own(lost)
	d.Resume()
}

// move puts a tenant behind the door and has Run work it.
func (d *Engine) move(t *tenant) {
	d.tenant.Store(t)
	d.jobs <- func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer close(t.ended)
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			select {
			case <-t.quit:
				cancel()
			case <-ctx.Done():
			}
		}()
		t.err = t.Run(ctx)
		cancel()
		<-stop
		select {
		case <-t.quit:
			return nil // Stop tells
		default:
			return t.err
		}
	}
}

// Run does the work of what is behind the door, and of links, until ctx is
// done and all of it has ended. Publications that wait are refused then. Its
// error is that of the engine behind the door.
func (d *Engine) Run(ctx context.Context) error {
	ended := make(chan error)
	running := 0
	var all []error
	done := ctx.Done()
	for done != nil || running > 0 || len(d.jobs) > 0 {
		select {
		case j := <-d.jobs:
			running++
			go func() { ended <- j(ctx) }()
		case err := <-ended:
			running--
			all = append(all, err)
		case <-done:
			done = nil
			d.turnAway()
		}
	}
	d.turnAway()
	return errors.Join(all...)
}

// turnAway refuses those that wait, and all later ones that find the door
// closed.
func (d *Engine) turnAway() {
	d.mu.Lock()
	if d.mode == owning {
		d.mu.Unlock()
		return
	}
	d.mode = stopped
	batch := d.dequeue()
	d.mu.Unlock()
	for _, i := range batch {
		d.settle(i, engine.Ack{}, errStopping)
	}
}
