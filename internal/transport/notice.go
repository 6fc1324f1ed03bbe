package transport

import (
	"time"

	"holdfast.dev/holdfast/internal/ws"
)

// Announcement makes the frame that one session is told, appended to dst, and
// says how long from now it is invited to move; negative when it is not. It
// is called on the loops, several at once.
type Announcement func(dst []byte, now time.Time) (frame []byte, move time.Duration)

// notice is what the sessions of a loop are told.
type notice struct {
	mark     uint8 // of the sessions that have been told
	say      Announcement
	standing bool   // newcomers are told too
	next     int32  // the slot that is told next
	frame    []byte // reused
}

// tellAtOnce is how many slots are told in one round of a loop: about a
// millisecond's worth.
const tellAtOnce = 128

// Announce tells every session, each once, in place of any announcement
// before that is still under way. With newcomers, those that come later are
// told too, behind their greeting. It does not wait.
func (s *Server) Announce(a Announcement, newcomers bool) {
	for _, l := range s.loops {
		l.do(func() {
			l.notice = notice{mark: l.notice.mark + 1, say: a, standing: newcomers, frame: l.notice.frame}
			l.spread(l.notice.mark)
		})
	}
}

// spread tells the sessions of some slots, and leaves the others to later
// rounds, so that messages are not held up.
func (l *Loop) spread(mark uint8) {
	n := &l.notice
	if n.mark != mark {
		return // the next one reaches them all
	}
	end := min(n.next+tellAtOnce, l.table.slots())
	for ; n.next < end; n.next++ {
		if c := l.table.at(n.next); c.state == open && c.told != mark {
			l.tell(c)
		}
	}
	switch {
	case end < l.table.slots():
		l.do(func() { l.spread(mark) })
	case !n.standing:
		n.say = nil
	}
}

// welcome tells a newcomer what the others were told before.
func (l *Loop) welcome(c *conn) {
	if l.notice.standing && c.state == open {
		l.tell(c)
	}
	c.told = l.notice.mark
}

// tell tells one session. An EventSource comes back by itself: with a moment
// of its own it is told to wait that long, and as long as usual when it no
// longer has one.
func (l *Loop) tell(c *conn) {
	n := &l.notice
	frame, move := n.say(n.frame[:0], l.clock)
	n.frame, c.told = frame, n.mark
	k := l.carry(c).(*carrier)
	k.Send(ws.Text, frame)
	if c.state == open && c.events() != nil && (move >= 0 || c.invited) {
		if move < 0 {
			l.framed = appendRetry(l.framed[:0], usualRetry())
		} else {
			l.framed = appendRetry(l.framed[:0], move)
		}
		k.utter(l.framed)
	}
	c.invited = move >= 0
	l.Told.Add(1)
}
