package chanlog

import "encoding/binary"

// Draft is a message that is kept and that nobody has looked at: it is encoded
// when somebody does. Most messages of channels that nobody listens to never
// are.
type Draft struct {
	// Seq is its place in the channel.
	Seq uint64
	// At is when it was published, in Unix nanoseconds.
	At int64
	// Frame is how long the frame of its entry will be.
	Frame int
	// Event and Data are as they were published; MaxDraftEvent bounds Event.
	Event string
	Data  []byte
}

// MaxDraftEvent is how long the event of a draft may be, in bytes.
const MaxDraftEvent = 255

// Maker makes the entries of drafts. Data is valid during the call.
type Maker interface {
	Make(channel string, d *Draft) *Entry
}

// drafts are the newest messages of a log, in a queue of bytes: each is a
// head, the event and the data.
type drafts struct {
	maker   Maker
	channel string

	buf   []byte // from read on
	read  int
	count int
	bytes int // of the frames that they will have
}

// draftHead is seq, time, and the lengths of frame, data and event.
const draftHead = 8 + 8 + 4 + 4 + 1

func (q *drafts) push(d *Draft) {
	q.reserve(draftHead + len(d.Event) + len(d.Data))
	var head [draftHead]byte
	binary.LittleEndian.PutUint64(head[0:], d.Seq)
	binary.LittleEndian.PutUint64(head[8:], uint64(d.At))
	binary.LittleEndian.PutUint32(head[16:], uint32(d.Frame))
	binary.LittleEndian.PutUint32(head[20:], uint32(len(d.Data)))
	head[24] = byte(len(d.Event))
	q.buf = append(q.buf, head[:]...)
	q.buf = append(q.buf, d.Event...)
	q.buf = append(q.buf, d.Data...)
	q.count++
	q.bytes += d.Frame
}

// reserve makes room for n bytes behind the newest draft. What it copies is no
// more than four times what was put in.
func (q *drafts) reserve(n int) {
	if len(q.buf)+n <= cap(q.buf) {
		return
	}
	to := q.buf[:0]
	if live := len(q.buf) - q.read; live+n > cap(q.buf) || q.read < len(q.buf)/4 {
		to = make([]byte, 0, max(live+n, 2*cap(q.buf)))
	}
	q.buf = append(to, q.buf[q.read:]...)
	q.read = 0
}

// queued is a draft as it stands in the queue.
type queued struct {
	seq         uint64
	at          int64
	frame       int
	event, data []byte
}

// front returns the oldest draft, of which there must be one. It is valid until
// the next push.
func (q *drafts) front() (d queued) {
	head, rest := q.buf[q.read:q.read+draftHead], q.buf[q.read+draftHead:]
	d.seq = binary.LittleEndian.Uint64(head[0:])
	d.at = int64(binary.LittleEndian.Uint64(head[8:]))
	d.frame = int(binary.LittleEndian.Uint32(head[16:]))
	data, event := int(binary.LittleEndian.Uint32(head[20:])), int(head[24])
	d.event, d.data = rest[:event], rest[event:event+data]
	return d
}

// pop takes out the oldest draft.
func (q *drafts) pop() queued {
	d := q.front()
	q.read += draftHead + len(d.event) + len(d.data)
	q.count--
	q.bytes -= d.frame
	return d
}

// Later puts a message at the end that has no entry until somebody looks at
// it, and maker makes it. Its Seq must be higher than Last; it is copied. A
// log has one channel and one maker.
func (l *Log) Later(channel string, d *Draft, maker Maker) {
	if l.drafts == nil {
		l.drafts = &drafts{maker: maker, channel: channel}
	}
	l.drafts.push(d)
	l.last = d.Seq
}

// Drafts returns how many of the entries held are yet to be made.
func (l *Log) Drafts() int {
	if l.drafts == nil {
		return 0
	}
	return l.drafts.count
}

// Make makes all entries that are yet to be made. Everything that returns
// entries does.
func (l *Log) Make() {
	q := l.drafts
	if q == nil {
		return
	}
	l.drafts = nil
	for q.count > 0 {
		d := q.pop()
		l.append(q.maker.Make(q.channel, &Draft{Seq: d.seq, At: d.at, Frame: d.frame, Event: string(d.event), Data: d.data}))
	}
}
