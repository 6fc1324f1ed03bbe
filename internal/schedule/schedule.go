package schedule

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// MinEvery is the shortest interval.
const MinEvery = time.Second

// Schedule is a message that is published again and again.
type Schedule struct {
	// Name tells this schedule from others, in the grammar of channel names.
	Name string
	// Channel receives the message.
	Channel string
	// Every is the interval, MinEvery at least.
	Every time.Duration
	// Event is the message's event, empty for none.
	Event string
	// Data is the message's data, one JSON value.
	Data json.RawMessage
}

// Validate returns every fault of s, joined, or nil.
func (s Schedule) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("schedule %s: "+format, append([]any{wire.Quote(s.Name)}, args...)...))
	}
	if wire.CheckChannel(s.Name) != nil {
		fault("the name must be 1 to %d characters of A-Z a-z 0-9 _ - . : @ =", wire.MaxChannelName)
	}
	if err := wire.CheckChannel(s.Channel); err != nil {
		fault("%w", err)
	}
	if err := wire.CheckEvent(s.Event); err != nil {
		fault("%w", err)
	}
	if s.Every < MinEvery {
		fault("every %v is too often, %v at least", s.Every, MinEvery)
	}
	if err := wire.CheckJSON(s.Data); err != nil {
		fault("data: %w", err)
	}
	return errors.Join(faults...)
}

// Validate returns every fault of the schedules, joined, or nil. No two may
// have the same name.
func Validate(schedules []Schedule) error {
	var faults []error
	seen := make(map[string]bool, len(schedules))
	for _, s := range schedules {
		faults = append(faults, s.Validate())
		if seen[s.Name] {
			faults = append(faults, fmt.Errorf("schedule %s stands twice: give each its own name", wire.Quote(s.Name)))
		}
		seen[s.Name] = true
	}
	return errors.Join(faults...)
}

// Equal reports whether both say the same.
func (s Schedule) Equal(o Schedule) bool {
	return s.Name == o.Name && s.Channel == o.Channel && s.Every == o.Every && s.Event == o.Event && string(s.Data) == string(o.Data)
}

// Default returns the schedules of a server that was told none: a test
// notification to everybody every 10 s.
func Default() []Schedule {
	return []Schedule{{
		Name:    "test-notification",
		Channel: wire.Broadcast,
		Every:   10 * time.Second,
		Data:    json.RawMessage(`{"text":"test notification"}`),
	}}
}

func (s Schedule) publication() wire.Publication {
	return wire.Publication{Channel: s.Channel, Event: s.Event, Data: wire.Compact(s.Data)}
}
