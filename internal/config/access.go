package config

import "holdfast.dev/holdfast/internal/wire"

// OpenChannels returns the channels that clients without a token may
// subscribe to: those of Anonymous or, where nothing is said of tokens and
// only this machine can connect or everybody is meant to, all.
func (c Config) OpenChannels() []wire.Pattern {
	if len(c.Anonymous) > 0 || c.Tokens() || !c.Insecure && !IsLoopback(c.Listen) {
		return c.Anonymous
	}
	return []wire.Pattern{"*"}
}
