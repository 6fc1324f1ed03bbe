package config

import (
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

func messageSettings() []Setting {
	return []Setting{
		{Name: "data",
			Help:  "folder that keeps messages on disk",
			field: path("DIR", func(c *Config) *string { return &c.Data })},
		{Name: "durability", Default: string(DurabilityAsync),
			Help:  "sync: answer when a publish is on disk",
			field: choice("WHEN", func(c *Config) *Durability { return &c.Durability }, DurabilityAsync, DurabilitySync)},
		{Name: "history-messages", Default: "100",
			Help:  "messages a channel keeps; 0: no history",
			field: number(func(c *Config) *int { return &c.HistoryMessages }, 0, maxHistoryMessages)},
		{Name: "history-age", Default: "10m",
			Help:  "how long it keeps each",
			field: duration(func(c *Config) *time.Duration { return &c.HistoryAge }, minHistoryAge, maxHistoryAge)},
		{Name: "history-bytes", Default: "16MiB",
			Help:  "bytes a channel keeps",
			field: size(func(c *Config) *Size { return &c.HistoryBytes }, minHistoryBytes, maxHistoryBytes)},
		{Name: "max-history", Default: "256MiB",
			Help:  "bytes that all channels keep together",
			field: size(func(c *Config) *Size { return &c.MaxHistory }, MiB, 1024*GiB)},
		{Name: "history", FileOnly: true,
			Help:  "what channels of a pattern keep",
			field: historyRules()},
		{Name: "presence",
			Help:  "channels that tell who is there",
			field: patterns(func(c *Config) *[]wire.Pattern { return &c.Presence })},
		{Name: "presence-linger", Default: "10s",
			Help:  "how long who left still counts as there",
			field: durationOrZero(func(c *Config) *time.Duration { return &c.PresenceLinger }, time.Millisecond, 10*time.Minute)},
		{Name: "schedules", FileOnly: true, Reloadable: true,
			Help:  "messages published by the server itself",
			field: schedules()},
	}
}
