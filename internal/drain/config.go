package drain

import "time"

// Config says how long a drain takes. Zero fields mean the default.
type Config struct {
	// Limit is how long sessions may stay after the drain began before they
	// are closed. Default 30 m.
	Limit time.Duration
	// Announce is how long, at the beginning of the limit, new sessions are
	// still let in: load balancers take a while to look elsewhere. Default 0:
	// they are refused at once.
	Announce time.Duration
	// Invite says that there is somewhere to go: sessions are told a moment of
	// their own to move.
	Invite bool
	// MaxRate is how many sessions a second are closed while shedding, at
	// most. Default 500.
	MaxRate int
	// LogEvery fixes the interval of progress lines, at least 1 s. Default:
	// every 60 s, 30 s below 10 min, 10 s below 2 min, 1 s in the last 10 s,
	// and at each tenth of the sessions that has left.
	LogEvery time.Duration
	// ForceOver is how long closing everybody takes in all: three fifths of
	// it to tell them, a slice every 100 ms, the rest for the last ones to
	// answer. Default 5 s.
	ForceOver time.Duration
	// Wall is how long after the limit the drain is over, whatever happens.
	// Default 10 s.
	Wall time.Duration
}

// Defaults of Config.
const (
	DefaultLimit     = 30 * time.Minute
	DefaultMaxRate   = 500
	DefaultForceOver = 5 * time.Second
	DefaultWall      = 10 * time.Second
)

const (
	// hurryLimit is what the second SIGTERM shortens the limit to.
	hurryLimit = 10 * time.Second
	// repeatWithin is how long after a signal the next one counts as the
	// same: process groups and wrappers deliver twice.
	repeatWithin = 2 * time.Second
)

func (c Config) withDefaults() Config {
	fill := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	fill(&c.Limit, DefaultLimit)
	fill(&c.ForceOver, DefaultForceOver)
	fill(&c.Wall, DefaultWall)
	if c.MaxRate <= 0 {
		c.MaxRate = DefaultMaxRate
	}
	if c.LogEvery > 0 {
		c.LogEvery = max(c.LogEvery, minGap)
	}
	return c
}
