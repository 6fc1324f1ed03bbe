package drain

import (
	"context"
	"errors"
	"time"
)

// CauseAPI is the cause of a drain that a call has begun.
const CauseAPI = "API"

// ErrOver answers a call when the runner has ended, or has not begun in time.
var ErrOver = errors.New("the server is ending")

// call is what is asked of a Runner by other means than a signal.
type call struct {
	do     func(m *Machine, now time.Time) error
	answer chan error // has room for it
}

// Start begins a drain that gives sessions limit to leave, 0 for the usual
// one. When a drain goes on already, it makes them have limit from now on; 0
// is ErrDraining then, and ErrForcing comes when it is too late. Any number of
// goroutines may call it while Run runs.
func (r *Runner) Start(ctx context.Context, limit time.Duration) error {
	return r.call(ctx, func(m *Machine, now time.Time) error {
		if m.State() != Serving && limit > 0 {
			return m.Limit(now, limit)
		}
		return m.Start(now, CauseAPI, limit)
	})
}

// Cancel calls the drain off: new sessions are let in again and all are told.
// It returns ErrServing when none goes on and ErrForcing when it is too late.
// Any number of goroutines may call it while Run runs.
func (r *Runner) Cancel(ctx context.Context) error {
	return r.call(ctx, (*Machine).Cancel)
}

func (r *Runner) call(ctx context.Context, do func(*Machine, time.Time) error) error {
	c := call{do, make(chan error, 1)}
	select {
	case r.calls <- c:
		return <-c.answer
	case <-r.over:
		return ErrOver
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
