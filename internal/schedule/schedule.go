package schedule

import (
	"encoding/json"
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
