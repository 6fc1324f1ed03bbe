package relay

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// format says what the two ends of a link talk; another version has another
// name.
const format = "holdfast relay 1"

const (
	bufferSize = 64 << 10
	maxFrame   = 96 << 20 // more than a message can have
)

// kind says what a frame is.
type kind byte

const (
	kindGreeting    kind = iota + 1 // follower: format, epoch, what it has of each shard
	kindBegun                       // owner: agreed
	kindNo                          // owner: refused, in words
	kindPublication                 // follower: publish this
	kindMessage                     // owner: this was published
	kindAnswer                      // owner: a publication has its place
	kindRefusal                     // owner: a publication was refused
	kindSnapshot                    // owner: followed by what happened in a shard
	kindGoodbye                     // owner: that was all
)

func (k kind) String() string { return fmt.Sprintf("a frame of kind %d", byte(k)) }

// A frame stands in the stream as its length (4), its kind and its fields:
// numbers as uvarints, texts behind their length. frameWriter writes them.
// Its first error stays.
type frameWriter struct {
	w   *bufio.Writer
	buf []byte
}

func newFrameWriter(conn net.Conn) *frameWriter {
	return &frameWriter{w: bufio.NewWriterSize(conn, bufferSize)}
}

func (w *frameWriter) flush() error { return w.w.Flush() }

func (w *frameWriter) begin(k kind)  { w.buf = append(w.buf[:0], 0, 0, 0, 0, byte(k)) }
func (w *frameWriter) uint(n uint64) { w.buf = binary.AppendUvarint(w.buf, n) }

func (w *frameWriter) text(s string) {
	w.uint(uint64(len(s)))
	w.buf = append(w.buf, s...)
}

// end writes the frame, with a last field that goes to its end.
func (w *frameWriter) end(last []byte) {
	binary.BigEndian.PutUint32(w.buf, uint32(len(w.buf)-4+len(last)))
	_, _ = w.w.Write(w.buf)
	_, _ = w.w.Write(last)
}

// greeting is what a follower begins with.
type greeting struct {
	epoch string
	tops  [ledger.Shards]uint64
}

func (w *frameWriter) greeting(g *greeting) {
	w.begin(kindGreeting)
	w.text(format)
	w.text(g.epoch)
	for _, top := range g.tops {
		w.uint(top)
	}
	w.end(nil)
}

func (w *frameWriter) publication(id uint64, p *wire.Publication) {
	w.begin(kindPublication)
	w.uint(id)
	w.text(p.Channel)
	w.text(p.Event)
	w.text(p.Key)
	w.end(p.Data)
}

func (w *frameWriter) message(p *ledger.Poured) {
	w.begin(kindMessage)
	w.text(p.Channel)
	w.uint(p.Entry.Seq)
	w.uint(uint64(p.Entry.At))
	w.uint(uint64(p.Entry.Kind))
	if p.Key == nil {
		w.uint(0)
	} else {
		w.uint(1)
		w.buf = append(w.buf, p.Key.Sum[:]...)
		w.uint(uint64(p.Key.At))
	}
	w.end(p.Entry.JSON())
}

func (w *frameWriter) answer(id uint64, ack engine.Ack) {
	w.begin(kindAnswer)
	w.uint(id)
	w.uint(ack.ID.Seq)
	w.uint(uint64(ack.Time.UnixNano()))
	repeats := uint64(0)
	if ack.Duplicate {
		repeats = 1
	}
	w.uint(repeats)
	w.end(nil)
}

func (w *frameWriter) refusal(id uint64, err *wire.Error) {
	w.begin(kindRefusal)
	w.uint(id)
	w.text(string(err.Code))
	w.end([]byte(err.Message))
}

// bare writes a frame that has one text at most.
func (w *frameWriter) bare(k kind, text string) {
	w.begin(k)
	w.end([]byte(text))
}

// frame is one that was read. Its fields are read from rest, and are zero
// from where it is bad.
type frame struct {
	kind kind
	rest []byte
	bad  bool
	room []byte // for the next one
}

// readFrame reads one into room, which grows by what comes.
func readFrame(r *bufio.Reader, room []byte) (frame, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	n := int(binary.BigEndian.Uint32(head[:])) - 1
	if n < 0 || n > maxFrame {
		return frame{}, fmt.Errorf("a frame of %d bytes, %d at most", n, maxFrame)
	}
	b := room[:0]
	for len(b) < n {
		from := len(b)
		step := min(n-from, max(bufferSize, from))
		if cap(b)-from < step {
			b = append(make([]byte, 0, from+step), b...)
		}
		b = b[:from+step]
		if _, err := io.ReadFull(r, b[from:]); err != nil {
			return frame{}, err
		}
	}
	return frame{kind: kind(head[4]), rest: b, room: b}, nil
}

func (f *frame) uint() uint64 {
	n, k := binary.Uvarint(f.rest)
	if k <= 0 {
		f.bad, f.rest = true, nil
		return 0
	}
	f.rest = f.rest[k:]
	return n
}

func (f *frame) take(n uint64) []byte {
	if n > uint64(len(f.rest)) {
		f.bad, f.rest = true, nil
		return nil
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

func (f *frame) text() string { return string(f.take(f.uint())) }

func (f *frame) greeting() (g greeting, err error) {
	if got := f.text(); f.kind != kindGreeting || got != format {
		return g, fmt.Errorf("the old process talks %s, this one %s", wire.Quote(got), wire.Quote(format))
	}
	g.epoch = f.text()
	for shard := range g.tops {
		g.tops[shard] = f.uint()
	}
	if f.bad {
		err = fmt.Errorf("the greeting is cut short")
	}
	return g, err
}

func (f *frame) publication() (id uint64, p wire.Publication, err error) {
	id = f.uint()
	p = wire.Publication{Channel: f.text(), Event: f.text(), Key: f.text(), Data: f.rest}
	if f.bad || len(p.Data) == 0 {
		return 0, p, fmt.Errorf("a publication is cut short")
	}
	return id, p, p.Check()
}

// message gives the ledger the message that a frame has.
func (f *frame) message(l *ledger.Ledger) error {
	channel, seq, at, kind := f.text(), f.uint(), f.uint(), f.uint()
	var key *ledger.Key
	if f.uint() != 0 {
		key = &ledger.Key{Seq: seq}
		copy(key.Sum[:], f.take(uint64(len(key.Sum))))
		key.At = int64(f.uint())
	}
	if f.bad || at > math.MaxUint32 || kind > uint64(chanlog.Gap) || wire.CheckChannel(channel) != nil {
		return fmt.Errorf("a message is damaged")
	}
	return l.Apply(channel, engine.NewEntry(f.rest, seq, time.Unix(int64(at), 0), chanlog.Kind(kind)), key)
}

func (f *frame) answer(epoch string) (id uint64, ack engine.Ack) {
	id = f.uint()
	ack = engine.Ack{ID: wire.ID{Epoch: epoch, Seq: f.uint()}, Time: time.Unix(0, int64(f.uint()))}
	ack.Duplicate = f.uint() != 0
	return id, ack
}

func (f *frame) refusal() (id uint64, err *wire.Error) {
	id = f.uint()
	code := wire.Code(f.text())
	if code.Status() == 0 {
		code = wire.Internal
	}
	return id, &wire.Error{Code: code, Message: string(f.rest)}
}
