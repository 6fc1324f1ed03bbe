package httpapi

import (
	"strconv"
	"time"

	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

// receipts appends the answers to publishes. It keeps what two times in a
// row have in common.
type receipts struct {
	second int64  // Unix time
	text   []byte // of it, up to its milliseconds
}

// append appends {"channel":…,"id":…,"time":…,"subscribers":…}.
func (s *receipts) append(dst []byte, r hub.Receipt) []byte {
	dst = append(dst, `{"channel":"`...)
	dst = append(dst, r.Channel...)
	dst = append(dst, `","id":"`...)
	dst = r.ID.Append(dst)
	dst = append(dst, `","time":"`...)
	dst = s.appendTime(dst, r.Time)
	dst = append(dst, `","subscribers":`...)
	dst = strconv.AppendInt(dst, int64(r.Subscribers), 10)
	if r.Duplicate {
		dst = append(dst, `,"duplicate":true`...)
	}
	return append(dst, '}')
}

// appendTime is wire.AppendTime, quicker for times of the same second.
func (s *receipts) appendTime(dst []byte, t time.Time) []byte {
	if second := t.Unix(); s.text == nil || second != s.second {
		s.second = second
		s.text = wire.AppendTime(s.text[:0], t)
		s.text = s.text[:len(s.text)-len("000Z")]
	}
	ms := t.Nanosecond() / 1e6
	dst = append(dst, s.text...)
	return append(dst, byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}
