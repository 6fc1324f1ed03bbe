package schedule

import (
	"container/heap"
	"context"
	"log/slog"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

const (
	// publishWithin bounds one publish: it can hold up the others no longer.
	publishWithin = 5 * time.Second
	// complainEvery is the least time between two lines about failures of
	// one schedule.
	complainEvery = time.Minute
)

// Publish hands a publication to the hub. It must heed ctx, which ends 5 s
// after the call.
type Publish func(ctx context.Context, p wire.Publication) error

// Runner publishes scheduled messages.
type Runner struct {
	// Static after construction.
	schedules []Schedule
	tallies   []tally
	publish   Publish
	log       *slog.Logger
}

// New returns a runner for schedules, which must be valid.
func New(schedules []Schedule, publish Publish, log *slog.Logger) *Runner {
	return &Runner{
		schedules: schedules,
		tallies:   make([]tally, len(schedules)),
		publish:   publish,
		log:       log,
	}
}

// Run publishes every schedule once an interval, the first time one interval
// from now, until ctx is done; then it returns nil. It may run once.
func (r *Runner) Run(ctx context.Context) error {
	tasks := r.plan(time.Now())
	if len(tasks) == 0 {
		<-ctx.Done()
		return nil
	}
	timer := time.NewTimer(time.Until(tasks[0].due))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		for ctx.Err() == nil && !time.Now().Before(tasks[0].due) {
			r.tick(ctx, tasks[0])
			heap.Fix(&tasks, 0)
		}
		timer.Reset(time.Until(tasks[0].due))
	}
}

// plan anchors every schedule at now.
func (r *Runner) plan(now time.Time) plan {
	tasks := make(plan, len(r.schedules))
	for i, s := range r.schedules {
		tasks[i] = &task{
			schedule:    s,
			publication: s.publication(),
			tally:       &r.tallies[i],
			anchor:      now,
			due:         now.Add(s.Every),
		}
	}
	heap.Init(&tasks)
	return tasks
}

// tick publishes t once and sets its next tick.
func (r *Runner) tick(ctx context.Context, t *task) {
	skipped := t.advance(time.Now())
	t.tally.skipped.Add(int64(skipped))
	bounded, cancel := context.WithTimeout(ctx, publishWithin)
	defer cancel()
	err := r.publish(bounded, t.publication)
	switch {
	case err == nil:
		t.tally.published.Add(1)
	case ctx.Err() == nil:
		t.tally.failed.Add(1)
		r.complain(t, err)
	}
}

// complain logs a failure, at most one a minute of each schedule.
func (r *Runner) complain(t *task, err error) {
	t.unsaid++
	now := time.Now()
	if !t.complained.IsZero() && now.Sub(t.complained) < complainEvery {
		return
	}
	r.log.Warn("scheduled message not published",
		"schedule", t.schedule.Name, "channel", t.schedule.Channel, "error", err, "failures", t.unsaid)
	t.complained, t.unsaid = now, 0
}
