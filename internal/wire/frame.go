package wire

import (
	"bytes"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// The functions below append the JSON of one frame that the server sends.
// Channel and event names must have passed their checks: they are written
// without escaping.

// AppendMessage appends a message frame. data must be valid JSON.
func AppendMessage(dst []byte, channel string, id ID, at time.Time, event string, data []byte) []byte {
	dst = append(dst, `{"type":"message","channel":"`...)
	dst = append(dst, channel...)
	dst = append(dst, `","id":"`...)
	dst = id.Append(dst)
	dst = append(dst, `","time":"`...)
	dst = AppendTime(dst, at)
	if event != "" {
		dst = append(dst, `","event":"`...)
		dst = append(dst, event...)
	}
	dst = append(dst, `","data":`...)
	dst = append(dst, data...)
	return append(dst, '}')
}

// MessageSize returns how many bytes AppendMessage appends for a time in the
// years 0 to 9999.
func MessageSize(channel string, id ID, event string, data int) int {
	const rest = len(`{"type":"message","channel":"","id":"-","time":"","data":}`) + len(TimeFormat)
	n := rest + len(channel) + len(id.Epoch) + decimals(id.Seq) + data
	if event != "" {
		n += len(`","event":"`) + len(event)
	}
	return n
}

// decimals returns how many digits n has.
func decimals(n uint64) int {
	digits := 1
	for ; n >= 10; n /= 10 {
		digits++
	}
	return digits
}

// Welcome is the first frame that a client receives.
type Welcome struct {
	Session   string
	Node      string
	Version   string
	User      string        // empty when not known
	Heartbeat time.Duration // the server is heard from at least this often
	Expires   time.Duration // left until the session's token ends; 0 without an end
}

// Append appends the frame.
func (w Welcome) Append(dst []byte) []byte {
	dst = append(dst, `{"type":"welcome","session":`...)
	dst = appendString(dst, w.Session)
	dst = append(dst, `,"node":`...)
	dst = appendString(dst, w.Node)
	dst = append(dst, `,"version":`...)
	dst = appendString(dst, w.Version)
	if w.User != "" {
		dst = append(dst, `,"user":`...)
		dst = appendString(dst, w.User)
	}
	dst = append(dst, `,"heartbeat_s":`...)
	dst = strconv.AppendFloat(dst, w.Heartbeat.Seconds(), 'f', -1, 64)
	if w.Expires > 0 {
		dst = append(dst, `,"expires_in_s":`...)
		dst = strconv.AppendInt(dst, int64(w.Expires/time.Second), 10)
	}
	return append(dst, '}')
}

// Resumed says what became of the since of a subscribe.
type Resumed struct {
	Recovered bool // nothing was missed that is not replayed
	Replayed  int  // messages
}

// AppendSubscribed answers a subscribe: the session is live behind id. resumed
// is nil where no since was given; mark is the request's own mark, or nil.
func AppendSubscribed(dst []byte, channel string, id ID, resumed *Resumed, mark []byte) []byte {
	const rest = len(`{"type":"subscribed","channel":"","id":"-18446744073709551615","recovered":false,"replayed":,"request":}`) + 20
	dst = slices.Grow(dst, rest+len(channel)+len(id.Epoch)+len(mark))
	dst = append(dst, `{"type":"subscribed","channel":"`...)
	dst = append(dst, channel...)
	dst = append(dst, `","id":"`...)
	dst = id.Append(dst)
	dst = append(dst, '"')
	if resumed != nil {
		dst = append(dst, `,"recovered":`...)
		dst = strconv.AppendBool(dst, resumed.Recovered)
		dst = append(dst, `,"replayed":`...)
		dst = strconv.AppendInt(dst, int64(resumed.Replayed), 10)
	}
	return appendMark(dst, mark)
}

// GapReason says why messages are lost to a session.
type GapReason string

// The reasons of gaps.
const (
	GapExpired   GapReason = "expired"   // the history does not reach back that far
	GapRestarted GapReason = "restarted" // the server lost what it had
	GapTooSlow   GapReason = "too_slow"  // the session was too far behind
)

// AppendGap tells that messages of a channel behind after are lost to the
// session.
func AppendGap(dst []byte, channel string, after ID, reason GapReason) []byte {
	dst = append(dst, `{"type":"gap","channel":"`...)
	dst = append(dst, channel...)
	dst = append(dst, `","after":"`...)
	dst = after.Append(dst)
	dst = append(dst, `","reason":"`...)
	dst = append(dst, reason...)
	return append(dst, '"', '}')
}

// GapAfter returns the after of a frame that AppendGap made.
func GapAfter(frame []byte) (after ID, ok bool) {
	_, rest, _ := bytes.Cut(frame, []byte(`","after":"`))
	text, _, _ := bytes.Cut(rest, []byte{'"'})
	after, err := ParseID(string(text))
	return after, err == nil
}

// Actions of presence frames.
const (
	PresenceJoin  = "join"
	PresenceLeave = "leave"
)

// AppendPresence tells that a session of a user came to a channel or left it.
func AppendPresence(dst []byte, channel, action, user, session string) []byte {
	dst = append(dst, `{"type":"presence","channel":"`...)
	dst = append(dst, channel...)
	dst = append(dst, `","action":"`...)
	dst = append(dst, action...)
	dst = append(dst, `","user":`...)
	dst = appendString(dst, user)
	dst = append(dst, `,"session":"`...)
	dst = append(dst, session...)
	return append(dst, '"', '}')
}

// AppendHistory begins the answer to a history request; each message is then
// appended as its own JSON, with commas between, and AppendHistoryEnd closes.
func AppendHistory(dst []byte, channel string) []byte {
	dst = append(dst, `{"type":"history","channel":"`...)
	dst = append(dst, channel...)
	return append(dst, `","messages":[`...)
}

// AppendHistoryEnd ends what AppendHistory began. complete is whether nothing
// between the place asked for and the first message is missing; next is the
// place behind the last.
func AppendHistoryEnd(dst []byte, complete bool, next ID, mark []byte) []byte {
	dst = append(dst, `],"complete":`...)
	dst = strconv.AppendBool(dst, complete)
	dst = append(dst, `,"next":"`...)
	dst = next.Append(dst)
	dst = append(dst, '"')
	return appendMark(dst, mark)
}

// Member is a user who is at a channel.
type Member struct {
	User     string `json:"user"`
	Sessions int    `json:"sessions"`
}

// AppendMembers answers a presence request. total counts all users there, of
// whom members may be only some.
func AppendMembers(dst []byte, channel string, members []Member, total int, mark []byte) []byte {
	dst = append(dst, `{"type":"members","channel":"`...)
	dst = append(dst, channel...)
	dst = append(dst, `","members":[`...)
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"user":`...)
		dst = appendString(dst, m.User)
		dst = append(dst, `,"sessions":`...)
		dst = strconv.AppendInt(dst, int64(m.Sessions), 10)
		dst = append(dst, '}')
	}
	dst = append(dst, `],"total":`...)
	dst = strconv.AppendInt(dst, int64(total), 10)
	return appendMark(dst, mark)
}

// AppendRefresh asks for a new token: the session's own ends in so long.
func AppendRefresh(dst []byte, left time.Duration) []byte {
	dst = append(dst, `{"type":"refresh","expires_in_s":`...)
	dst = strconv.AppendInt(dst, int64(left/time.Second), 10)
	return append(dst, '}')
}

// AppendRefreshed answers a refresh: the session's token ends in so long, or
// never when left is 0.
func AppendRefreshed(dst []byte, left time.Duration, mark []byte) []byte {
	dst = append(dst, `{"type":"refreshed"`...)
	if left > 0 {
		dst = append(dst, `,"expires_in_s":`...)
		dst = strconv.AppendInt(dst, int64(left/time.Second), 10)
	}
	return appendMark(dst, mark)
}

// AppendUnsubscribed tells that the session sees no more of channel. reason
// is empty when the client asked for it.
func AppendUnsubscribed(dst []byte, channel, reason string, mark []byte) []byte {
	dst = append(dst, `{"type":"unsubscribed","channel":"`...)
	dst = append(dst, channel...)
	dst = append(dst, '"')
	if reason != "" {
		dst = append(dst, `,"reason":`...)
		dst = appendString(dst, reason)
	}
	return appendMark(dst, mark)
}

// AppendPublished answers a client's publish.
func AppendPublished(dst []byte, channel string, id ID, mark []byte) []byte {
	dst = append(dst, `{"type":"published","channel":"`...)
	dst = append(dst, channel...)
	dst = append(dst, `","id":"`...)
	dst = id.Append(dst)
	dst = append(dst, '"')
	return appendMark(dst, mark)
}

// AppendPong answers a client's ping frame.
func AppendPong(dst, mark []byte) []byte {
	return appendMark(append(dst, `{"type":"pong"`...), mark)
}

// AppendError answers a frame that could not be carried out.
func AppendError(dst []byte, code Code, message string, mark []byte) []byte {
	dst = append(dst, `{"type":"error","code":"`...)
	dst = append(dst, code...)
	dst = append(dst, `","message":`...)
	dst = appendString(dst, message)
	return appendMark(dst, mark)
}

func appendMark(dst, mark []byte) []byte {
	if len(mark) > 0 {
		dst = append(dst, `,"request":`...)
		dst = append(dst, mark...)
	}
	return append(dst, '}')
}

// AppendString appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD.
func AppendString(dst []byte, s string) []byte { return appendString(dst, s) }

func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r < 0x20 || r == 0x7f:
			dst = append(dst, `\u00`...)
			dst = append(dst, hex[r>>4], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
