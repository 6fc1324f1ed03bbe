package drain

import "time"

// Bounds of the shed window, unless half the limit is less.
const (
	shortestWindow = 30 * time.Second
	longestWindow  = 10 * time.Minute
)

// window returns how long before the limit shedding begins: a fifth of the
// limit within its bounds, half of it at most; but as long as closing n
// sessions takes at so many a second, and a little more.
func window(limit time.Duration, n, rate int) time.Duration {
	usual := min(max(limit/5, shortestWindow), longestWindow, limit/2)
	needed := time.Duration(n) * time.Second / time.Duration(rate)
	return min(max(usual, needed+needed/20), limit)
}
