package cli

import (
	"math/rand/v2"
	"time"
)

// Bounds of the wait before connecting again.
const (
	shortestWait  = 500 * time.Millisecond
	longestWait   = 20 * time.Second
	longestAdvice = 5 * time.Minute
)

// wait returns how long to wait before attempt n (from 0). Without advice of
// the server it is drawn evenly up to a bound that doubles from attempt to
// attempt, so that many clients never come back together; the advice is kept
// and spread by as much as half of itself.
func wait(n int, advice time.Duration) time.Duration {
	if advice > 0 {
		advice = min(advice, longestAdvice)
		return advice + rand.N(advice/2+1)
	}
	high := longestWait
	if n < 6 {
		high = min(high, shortestWait<<(n+1))
	}
	return shortestWait + rand.N(high-shortestWait+1)
}
