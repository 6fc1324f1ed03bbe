package config

import (
	"fmt"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// MaxHistoryRules is how many history rules a file may have.
const MaxHistoryRules = 1000

// Bounds of what one channel keeps.
const (
	maxHistoryMessages = 1_000_000
	minHistoryAge      = time.Second
	maxHistoryAge      = 30 * 24 * time.Hour
	minHistoryBytes    = 4 * KiB
	maxHistoryBytes    = 64 * GiB
)

// HistoryRule says what the channels of one pattern keep. What a rule of the
// file leaves out is as the settings history-messages, history-age and
// history-bytes say.
type HistoryRule struct {
	// Channels are those that the rule is for.
	Channels wire.Pattern
	// Messages is how many messages each keeps; 0 is no history.
	Messages int
	// Age is how long each keeps a message.
	Age time.Duration
	// Bytes bounds what each keeps.
	Bytes Size
}

// HistoryFor returns what the named channel keeps: the first rule of History
// that covers it, else the settings for all.
func (c Config) HistoryFor(channel string) HistoryRule {
	for _, r := range c.History {
		if r.Channels.Match(channel) {
			return r
		}
	}
	return HistoryRule{Channels: "*", Messages: c.HistoryMessages, Age: c.HistoryAge, Bytes: c.HistoryBytes}
}

// historyText returns a line for a listing.
func historyText(r HistoryRule) string {
	if r.Messages == 0 {
		return fmt.Sprintf("%s none", r.Channels)
	}
	return fmt.Sprintf("%s %d messages for %s in %s", r.Channels, r.Messages, formatDuration(r.Age), r.Bytes)
}
