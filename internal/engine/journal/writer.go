package journal

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/engine/ledger"
)

const (
	// interval is how often what changed is written, at most: nothing waits
	// for longer, but for the disk.
	interval = 50 * time.Millisecond
	// dropInterval is the same where messages do not wait for it, only what
	// retention dropped.
	dropInterval = 500 * time.Millisecond
	// idleInterval is how often it is looked whether a shard may rest or
	// something be deleted.
	idleInterval = restAfter / 2
)

// Run implements engine.Engine: it writes until ctx is done, then what is
// left, and notes that this is an orderly end. Publishes are refused from
// then on. Its error is that the last of it could not be written.
func (e *Engine) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { _ = e.Ledger.Run(ctx) })
	defer wg.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var last time.Time // when the last batch began
	for ctx.Err() == nil {
		wait, idle := e.due(time.Now(), last)
		if wait > 0 || idle {
			timer.Reset(wait)
			after := timer.C
			if idle {
				after = nil
			}
			select {
			case <-e.wakeup:
				continue
			case <-after:
			case <-ctx.Done():
				continue
			}
		}
		last = time.Now()
		e.work(last)
	}
	return e.finish()
}

// due returns how long to wait for the next batch; idle is until somebody
// wakes the writer.
func (e *Engine) due(now, last time.Time) (wait time.Duration, idle bool) {
	e.writing.Lock()
	defer e.writing.Unlock()
	if e.trouble.on() {
		return e.trouble.retry.Sub(now), false
	}
	if e.gate.mask.Load() != 0 || e.sync && !e.stage.empty() {
		return 0, false
	}
	if e.dirty.Load() != 0 || e.behind {
		if e.sync {
			return last.Add(dropInterval).Sub(now), false
		}
		return last.Add(interval).Sub(now), false
	}
	if len(e.book.dead) > 0 || len(e.book.keys) > 0 || e.book.awake() {
		return last.Add(idleInterval).Sub(now), false
	}
	return 0, true
}

// awake reports whether a shard has a ceiling to take back.
func (b *book) awake() bool {
	for i := range b.heads.shards {
		if b.heads.shards[i].condition != resting {
			return true
		}
	}
	return false
}

// work writes one batch.
func (e *Engine) work(now time.Time) {
	e.writing.Lock()
	defer e.writing.Unlock()
	switch {
	case e.closed:
	case e.trouble.on():
		e.tryAgain(now)
	default:
		if err := e.batch(now, nil); err == nil {
			e.admit()
		}
	}
}

// batch writes what waits, extra first, and tells everybody the outcome. The
// caller holds writing.
func (e *Engine) batch(now time.Time, extra []item) error {
	var list []*ledger.Pending
	if e.sync {
		list = e.stage.take()
	}
	if err := e.flush(now, extra, list); err != nil {
		e.fail(err, list)
		return err
	}
	e.Commit(list)
	e.stage.giveBack(list)
	if len(list) > 1 {
		// Those who were just told publish again, most of them: their next
		// messages share a transaction when they get to run first.
		runtime.Gosched()
	}
	return nil
}

// finish writes what is left and notes an orderly end.
func (e *Engine) finish() error {
	e.writing.Lock()
	defer e.writing.Unlock()
	if e.closed {
		return nil
	}
	e.turnAway(errStopping)
	list := e.lastStage()
	err := e.flush(time.Now(), nil, list)
	if err != nil {
		e.fail(err, list)
		e.turnAway(errStopping)
		return fmt.Errorf("the last messages could not be written to the journal in %s: %w", e.dir, cause(err))
	}
	e.Commit(list)
	return e.restAll()
}

// restAll takes back all ceilings, so that the next start finds nothing
// missing. Something may change still: channels are forgotten, not published
// to.
func (e *Engine) restAll() error {
	for range 3 {
		d := e.draft
		d.reuse()
		rested := true
		for shard := range ledger.Shards {
			c := e.Collect(shard)
			d.changes(shard, &c)
			if d.heads.shards[shard].condition == ahead {
				d.heads.shards[shard].last = c.Seq
			}
			rested = e.rest(d, shard) && rested
		}
		if err := e.commit(d, 0); err != nil {
			return fmt.Errorf("the end could not be noted in the journal in %s: %w", e.dir, cause(err))
		}
		if rested {
			return nil
		}
	}
	return nil
}

// Close gives the folder back. It must follow Run.
func (e *Engine) Close() error {
	e.writing.Lock()
	defer e.writing.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	e.turnAway(errStopping)
	return e.store.close()
}
