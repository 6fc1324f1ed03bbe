package session

import "time"

// allowance counts the frames that a session may still send: a token bucket
// in thousandths of a frame. It may run into debt; who goes on sending then
// is cut off.
type allowance struct {
	at    uint32 // milliseconds, wraps around every 49 days
	level int32
}

type verdict int

const (
	granted  verdict = iota
	refused          // the frame is answered with an error and not carried out
	flooding         // the session is closed
)

// debt is how many refused frames a session may send before it is cut off.
const debt = 100

func (a *allowance) fill(now time.Time, policy *Policy) {
	a.at, a.level = millis(now), int32(policy.FrameBurst)*1000
}

// earn adds what time has brought.
func (a *allowance) earn(now time.Time, policy *Policy) {
	at := millis(now)
	earned := int64(at-a.at) * int64(policy.FramesPerSecond)
	a.at = at
	a.level = int32(min(int64(a.level)+earned, int64(policy.FrameBurst)*1000))
}

// spend takes one frame off.
func (a *allowance) spend(now time.Time, policy *Policy) verdict {
	a.earn(now, policy)
	if a.level < -debt*1000 {
		return flooding
	}
	a.level -= 1000
	if a.level < 0 {
		return refused
	}
	return granted
}

// charge takes more frames off, for one that was a lot of work.
func (a *allowance) charge(frames int) { a.level -= int32(frames) * 1000 }

func millis(t time.Time) uint32 { return uint32(t.UnixMilli()) }
