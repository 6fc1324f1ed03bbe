package drain

import (
	"math/rand/v2"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// Notice is what all sessions are told of a drain.
type Notice struct {
	// Cancelled says that the drain was called off; nothing else counts then.
	Cancelled bool
	// ForcedAt is when those that are left are closed.
	ForcedAt time.Time
	// MoveBy is until when the sessions are invited to move, each at a moment
	// of its own; zero when there is nowhere to go.
	MoveBy time.Time
}

// Append appends the frame for one session, and returns how long from now
// that session is invited to move: drawn anew each time, evenly over what is
// left until MoveBy. It is negative without an invitation.
func (n Notice) Append(dst []byte, now time.Time) (frame []byte, move time.Duration) {
	if n.Cancelled {
		return wire.AppendDrainCancelled(dst), -1
	}
	d := wire.DrainNotice{ForcedIn: n.ForcedAt.Sub(now), LeaveIn: -1}
	if !n.MoveBy.IsZero() {
		d.LeaveIn = rand.N(max(n.MoveBy.Sub(now), 0) + time.Millisecond)
	}
	return d.Append(dst), d.LeaveIn
}
