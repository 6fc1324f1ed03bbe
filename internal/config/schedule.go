package config

import (
	"encoding/json"
	"fmt"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// Bounds of schedules.
const (
	MaxSchedules = 10_000
	MinEvery     = time.Second
	MaxEvery     = 365 * 24 * time.Hour
)

// Schedule is a message that the server publishes by itself, again and again.
type Schedule struct {
	// Name tells this schedule from others, in the grammar of channel names.
	Name string
	// Channel receives the message.
	Channel string
	// Every is the interval, MinEvery to MaxEvery.
	Every time.Duration
	// Event is the message's event, empty for none.
	Event string
	// Data is the message's data, one JSON value.
	Data json.RawMessage
}

// testNotification is the schedule of a server that was told none.
func testNotification() Schedule {
	return Schedule{
		Name:    "test-notification",
		Channel: wire.Broadcast,
		Every:   10 * time.Second,
		Data:    json.RawMessage(`{"text":"test notification"}`),
	}
}

// String returns a line for a listing.
func (s Schedule) String() string {
	return fmt.Sprintf("%s every %s to %s", s.Name, formatDuration(s.Every), s.Channel)
}

// equal reports whether both say the same.
func (s Schedule) equal(o Schedule) bool {
	return s.Name == o.Name && s.Channel == o.Channel && s.Every == o.Every &&
		s.Event == o.Event && string(s.Data) == string(o.Data)
}
