package node

import (
	"context"
	"slices"

	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/schedule"
	"holdfast.dev/holdfast/internal/wire"
)

// plan returns the schedules of a configuration, ready to run.
func (n *node) plan(cfg config.Config) *schedule.Runner {
	return schedule.New(cfg.Schedules, n.publishScheduled, n.logger)
}

func (n *node) publishScheduled(ctx context.Context, p wire.Publication) error {
	_, err := n.hub.Publish(ctx, p)
	return err
}

// replan has a reloaded configuration's schedules take the place of those
// that run, where they differ.
func (n *node) replan(ctx context.Context, next config.Config) {
	if slices.EqualFunc(n.current.Schedules, next.Schedules, schedule.Schedule.Equal) {
		return
	}
	select {
	case n.plans <- n.plan(next):
	case <-ctx.Done():
	}
}

// scheduled adds up what became of the schedules that run.
func (n *node) scheduled() (published, failed, skipped int64) {
	runner := n.running.Load()
	if runner == nil {
		return 0, 0, 0
	}
	for _, c := range runner.Counts() {
		published, failed, skipped = published+c.Published, failed+c.Failed, skipped+c.Skipped
	}
	return published, failed, skipped
}

// runSchedules runs one plan after the other.
func (n *node) runSchedules(ctx context.Context) error {
	runner := <-n.plans
	for {
		n.running.Store(runner)
		inner, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		run := runner.Run // of this plan, whatever runner becomes
		go func() { done <- run(inner) }()
		select {
		case <-ctx.Done():
			stop()
			return <-done
		case runner = <-n.plans:
			stop()
			<-done
		}
	}
}
