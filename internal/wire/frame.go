package wire

import (
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

// Welcome is the first frame that a client receives.
type Welcome struct {
	Session   string
	Node      string
	Version   string
	User      string        // empty when not known
	Heartbeat time.Duration // the server is heard from at least this often
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
	return append(dst, '}')
}

// AppendSubscribed answers a subscribe: the session sees every message of
// channel behind id. mark is the request's own mark, or nil.
func AppendSubscribed(dst []byte, channel string, id ID, mark []byte) []byte {
	dst = append(dst, `{"type":"subscribed","channel":"`...)
	dst = append(dst, channel...)
	dst = append(dst, `","id":"`...)
	dst = id.Append(dst)
	dst = append(dst, '"')
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
	if mark != nil {
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
