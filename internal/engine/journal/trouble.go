package journal

import (
	"time"

	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// How long the writer waits before it tries again.
const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 2 * time.Second
)

// minBallast is the least that a disk must take, beside what waits, before
// messages are taken again: as much as the transaction that failed, if that
// was more. Else there would be no end of beginning again.
const minBallast = 64 << 10

// trouble is the state of a disk that takes nothing. The zero value is none.
type trouble struct {
	pause time.Duration // 0 while there is none
	retry time.Time
	need  int // bytes of the transaction that failed first
}

func (t *trouble) on() bool { return t.pause > 0 }

// fail notes that a flush failed and refuses publishes from now on. list are
// the messages it was to make durable. The caller holds writing.
func (e *Engine) fail(err error, list []*ledger.Pending) {
	refusal := wire.Errorf(wire.Unavailable, "the journal in %s cannot be written: %v; publishes are refused until it can, clients stay connected", e.dir, cause(err))
	t := &e.trouble
	if !t.on() {
		t.need = len(e.draft.arena)
		e.log.Error("the journal cannot be written; publishes are refused until it can", "dir", e.dir, "error", cause(err).Error())
	}
	t.pause = min(max(2*t.pause, firstRetry), lastRetry)
	t.retry = time.Now().Add(t.pause)
	e.turnAway(refusal)
	e.clearStage(refusal)
	if len(list) == 0 {
		return
	}
	if f, ok := err.(*failure); ok && f.uncertain && e.rewrite() != nil {
		refusal = wire.Errorf(wire.Uncertain, "the journal in %s failed while it wrote the message: %v; it may be there after a restart: publish it again with the same key", e.dir, cause(err))
	}
	e.Abandon(list, refusal)
}

// tryAgain tries to write again. The caller holds writing.
func (e *Engine) tryAgain(now time.Time) {
	ballast := item{bucketBallast, []byte("ballast"), make([]byte, max(minBallast, e.trouble.need))}
	err := e.flush(now, []item{ballast}, nil)
	if err == nil {
		ballast.value = nil
		err = e.flush(now, []item{ballast}, nil)
	}
	if err != nil {
		e.fail(err, nil)
		return
	}
	e.trouble = trouble{}
	e.refusing.Store(nil)
	e.log.Info("the journal can be written again", "dir", e.dir)
}
