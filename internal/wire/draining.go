package wire

import (
	"strconv"
	"time"
)

// Reasons of draining frames.
const (
	DrainRestart   = "restart"    // this server ends; another one, or a new one, takes over
	DrainCalledOff = "called_off" // it serves on after all
)

// DrainNotice tells a session that its server is on its way out.
type DrainNotice struct {
	ForcedIn time.Duration // until those that are left are closed
	LeaveIn  time.Duration // the session's own moment to move; negative when there is nowhere to go
}

// Append appends the frame.
func (d DrainNotice) Append(dst []byte) []byte {
	dst = append(dst, `{"type":"draining","reason":"`+DrainRestart+`","forced_in_ms":`...)
	dst = strconv.AppendInt(dst, max(d.ForcedIn, 0).Milliseconds(), 10)
	if d.LeaveIn >= 0 {
		dst = append(dst, `,"leave_in_ms":`...)
		dst = strconv.AppendInt(dst, d.LeaveIn.Milliseconds(), 10)
	}
	return append(dst, '}')
}

// AppendDrainCancelled tells a session that its server serves on.
func AppendDrainCancelled(dst []byte) []byte {
	return append(dst, `{"type":"draining","reason":"`+DrainCalledOff+`","cancelled":true}`...)
}
