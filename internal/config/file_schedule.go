package config

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"holdfast.dev/holdfast/internal/schedule"
	"holdfast.dev/holdfast/internal/wire"
)

var scheduleKeys = []string{"name", "channel", "every", "data", "event"}

// schedules is written by the file's reader alone.
func schedules() field {
	f := fileList(func(c *Config) (texts []string) {
		for _, s := range c.Schedules {
			texts = append(texts, scheduleText(s))
		}
		return texts
	})
	f.node = func(d *decoder, node ast.Node) func(*Config) {
		list := d.schedules(node)
		return func(c *Config) { c.Schedules = list }
	}
	return f
}

// schedules reads the list of schedules. An empty list, or nothing, is none.
func (d *decoder) schedules(node ast.Node) []schedule.Schedule {
	items, ok := d.list("schedules", node, "name, channel, every and data", MaxSchedules)
	if !ok {
		return nil
	}
	var schedules []schedule.Schedule
	names := map[string]int{}
	for _, item := range items {
		s := d.schedule(item)
		if first, repeated := names[s.Name]; repeated && s.Name != "" {
			d.fault("schedules", item, fmt.Sprintf("a schedule named %s begins in line %d already; names must differ", quote(s.Name), first))
		}
		names[s.Name] = line(item)
		schedules = append(schedules, s)
	}
	return schedules
}

func (d *decoder) schedule(item ast.Node) schedule.Schedule {
	var s schedule.Schedule
	given := map[string]bool{}
	d.mapping("schedules", item, scheduleKeys, func(key string, pair *ast.MappingValueNode) {
		given[key] = true
		if key == "data" {
			s.Data = d.json(pair.Value)
			return
		}
		v, ok := d.scalar("schedules", pair.Value)
		if !ok {
			return
		}
		if err := setSchedule(&s, key, v.text); err != nil {
			d.fault("schedules", pair.Value, err.Error())
		}
	})
	if _, ok := item.(*ast.MappingNode); !ok {
		return s
	}
	for _, key := range []string{"name", "channel", "every", "data"} {
		if !given[key] {
			d.fault("schedules", item, "this schedule has no "+key)
		}
	}
	return s
}

// setSchedule writes one field from text. A name follows the grammar of
// channels.
func setSchedule(s *schedule.Schedule, key, text string) (err error) {
	switch key {
	case "name":
		s.Name = text
		if err := wire.CheckChannel(text); err != nil {
			return fmt.Errorf("%s can't name a schedule; use letters, digits and _ - . : @ =", quote(text))
		}
	case "channel":
		s.Channel = text
		return wire.CheckChannel(text)
	case "event":
		s.Event = text
		return wire.CheckEvent(text)
	case "every":
		bounds := formatDuration(schedule.MinEvery) + " to " + formatDuration(MaxEvery)
		s.Every, err = within(parseDuration, schedule.MinEvery, MaxEvery, bounds)(text)
	}
	return err
}
