package config

import (
	"fmt"
	"time"

	"holdfast.dev/holdfast/internal/schedule"
)

// Bounds of schedules.
const (
	MaxSchedules = 10_000
	MaxEvery     = 365 * 24 * time.Hour
)

// scheduleText returns a line for a listing.
func scheduleText(s schedule.Schedule) string {
	return fmt.Sprintf("%s every %s to %s", s.Name, formatDuration(s.Every), s.Channel)
}
