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
	list := make([]schedule.Schedule, len(cfg.Schedules))
	for i, s := range cfg.Schedules {
		list[i] = schedule.Schedule{Name: s.Name, Channel: s.Channel, Event: s.Event, Every: s.Every, Data: s.Data}
	}
	return schedule.New(list, n.publishScheduled, n.logger)
}

func (n *node) publishScheduled(ctx context.Context, p wire.Publication) error {
	_, err := n.hub.Publish(ctx, p)
	return err
}

// replan has a reloaded configuration's schedules take the place of those
// that run, where they differ.
func (n *node) replan(next config.Config) {
	if slices.EqualFunc(n.cfg.Schedules, next.Schedules, sameSchedule) {
		return
	}
	n.plans <- n.plan(next)
}

func sameSchedule(a, b config.Schedule) bool {
	return a.Name == b.Name && a.Channel == b.Channel && a.Event == b.Event && a.Every == b.Every && string(a.Data) == string(b.Data)
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
