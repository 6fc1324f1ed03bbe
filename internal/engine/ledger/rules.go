package ledger

import (
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// Keep says what one channel keeps of its messages.
type Keep struct {
	// Messages is how many; 0 is none.
	Messages int
	// Age is for how long; 0 is without end. Fractions of a second count as
	// a whole one.
	Age time.Duration
	// Bytes bounds what they take on the wire, all together; 0 is no bound.
	// A message that is longer is delivered and not kept.
	Bytes int
}

// DefaultKeep is what a channel keeps where nothing else is said.
var DefaultKeep = Keep{Messages: 100, Age: 10 * time.Minute, Bytes: 16 << 20}

// Rule is a Keep for the channels of a pattern.
type Rule struct {
	Channels wire.Pattern
	Keep     Keep
}

// Rules say what each channel keeps.
type Rules struct {
	// First are looked at in order; the first that covers a channel counts.
	First []Rule
	// Default is for channels that none covers.
	Default Keep
}

// For returns what the named channel keeps.
func (r Rules) For(channel string) Keep { return r.all()[r.index(channel)].Keep }

// index returns which of all covers the channel.
func (r Rules) index(channel string) int {
	for i := range r.First {
		if r.First[i].Channels.Match(channel) {
			return i
		}
	}
	return len(r.First)
}

// all returns the rules with the default as the last one.
func (r Rules) all() []Rule {
	return append(r.First[:len(r.First):len(r.First)], Rule{Channels: "*", Keep: r.Default})
}
