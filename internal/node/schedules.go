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
func (n *node) replan(next config.Config) {
	if slices.EqualFunc(n.cfg.Schedules, next.Schedules, schedule.Schedule.Equal) {
		return
	}
	n.plans <- n.plan(next)
}

// runSchedules runs one plan after the other.
func (n *node) runSchedules(ctx context.Context) error {
	runner := <-n.plans
	for {
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
