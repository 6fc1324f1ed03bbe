package loadgen

import (
	"bytes"
	"encoding/binary"
	"time"
)

// Sink takes what a [Dialect] finds in the bytes of one client. It is valid
// during the call of Decode that it was handed to.
type Sink struct {
	shard  *shard
	client int
	now    int64 // when the bytes were read, Unix nanoseconds
	hint   int   // where the mark stood in the message before
}

// mark begins the data of every message that a [Feed] publishes.
const mark = `{"seq":`

// Message counts one message. p is its data or anything around it: the
// message's number is looked for. What a Feed did not publish is ignored.
func (k *Sink) Message(p []byte) {
	at := k.hint
	if at+len(mark) > len(p) || string(p[at:at+len(mark)]) != mark {
		if at = bytes.Index(p, []byte(mark)); at < 0 {
			return
		}
		k.hint = at
	}
	m, ok := parseNumbers(p[at+len(mark):])
	if !ok || m.lane >= k.shard.lanes {
		return
	}
	k.shard.tally.arrived(k.client*k.shard.lanes+m.lane, m.seq)
	k.shard.latency.Record(time.Duration(k.now - m.sent))
}

// Answer counts one answer to what the client was set up with; see
// [Dialect].
func (k *Sink) Answer() { k.shard.answered(k.client) }

// Reply sends frames (see [AppendFrame]) from the client to the server.
func (k *Sink) Reply(frames []byte) {
	c := &k.shard.clients[k.client]
	c.out = append(c.out, frames...)
}

// Fault notes that the server told the client of a fault, for the report. The
// client stays.
func (k *Sink) Fault(what string) { k.shard.fault(what) }

// numbers is what the data of a message says about itself.
type numbers struct {
	seq  uint64
	sent int64 // Unix nanoseconds
	lane int   // which of the client's channels
}

// parseNumbers reads `7,"t":1790000000000000000` and, behind it, `,"lane":3`
// if that is there: what [appendData] writes behind the mark.
func parseNumbers(p []byte) (m numbers, ok bool) {
	const sent, lane = `,"t":`, `,"lane":`
	seq, n := digits(p)
	if n == 0 || len(p) < n+len(sent) || string(p[n:n+len(sent)]) != sent {
		return m, false
	}
	m.seq = seq
	p = p[n+len(sent):]
	t, n := digits(p)
	if n == 0 {
		return m, false
	}
	m.sent = int64(t)
	if p = p[n:]; len(p) > len(lane) && string(p[:len(lane)]) == lane {
		v, n := digits(p[len(lane):])
		m.lane = int(v)
		return m, n > 0 && n < 10
	}
	return m, true
}

// digits reads the decimal number that p begins with and says how many bytes
// it takes: 0 when there is none or it is longer than 19.
func digits(p []byte) (v uint64, n int) {
	for len(p)-n >= 8 && n <= 8 {
		eight, ok := eightDigits(binary.LittleEndian.Uint64(p[n:]))
		if !ok {
			break
		}
		v = v*100_000_000 + eight
		n += 8
	}
	for n < len(p) && p[n]-'0' <= 9 {
		if n == 19 {
			return 0, 0
		}
		v = v*10 + uint64(p[n]-'0')
		n++
	}
	return v, n
}

// eightDigits turns eight ASCII digits, the first in the lowest byte, into
// their number, three multiplications in all.
func eightDigits(w uint64) (v uint64, ok bool) {
	const zeros, high, sixes = 0x3030303030303030, 0xf0f0f0f0f0f0f0f0, 0x0606060606060606
	if w&high != zeros || (w+sixes)&high != zeros {
		return 0, false
	}
	w -= zeros
	w = w*10 + w>>8 // pairs, in every other byte
	const first, second, pairs = 100 + 1_000_000<<32, 1 + 10_000<<32, 0x000000ff000000ff
	return ((w&pairs)*first + (w>>16&pairs)*second) >> 32, true
}
