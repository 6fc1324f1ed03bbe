package engine

import (
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

const (
	frameHead  = 10      // room for the header of a WebSocket frame, at most
	briefHead  = 4       // the same of a frame of less than briefFrame bytes
	briefFrame = 1 << 16 // below this a length takes two bytes at most

	// envelope is what surrounds names and data in a message, at most.
	envelope = len(`{"type":"message","channel":"","id":"-18446744073709551615","time":"","event":"","data":}` + wire.TimeFormat)
)

// NewMessage encodes a publication, once for everybody who gets it.
func NewMessage(p wire.Publication, id wire.ID, at time.Time) *chanlog.Entry {
	e, buf, head := allocate(envelope + len(p.Channel) + len(id.Epoch) + len(p.Event) + len(p.Data))
	buf = wire.AppendMessage(buf[:head], p.Channel, id, at, p.Event, p.Data)
	finish(e, buf, head, id.Seq, at, chanlog.Message)
	return e
}

// MessageSize returns how long the frame is that NewMessage makes.
func MessageSize(p *wire.Publication, id wire.ID) int {
	n := wire.MessageSize(p.Channel, id, p.Event, len(p.Data))
	switch {
	case n < 126: // RFC 6455, section 5.2
		return n + 2
	case n < briefFrame:
		return n + 4
	}
	return n + 10
}

// NewEntry makes an entry of the JSON of a frame, which it copies.
func NewEntry(json []byte, seq uint64, at time.Time, kind chanlog.Kind) *chanlog.Entry {
	e, buf, head := allocate(len(json))
	finish(e, append(buf[:head], json...), head, seq, at, kind)
	return e
}

// NewGap makes the entry that stands where messages of a channel are lost:
// those behind after and before seq.
func NewGap(channel string, after wire.ID, seq uint64, reason wire.GapReason, at time.Time) *chanlog.Entry {
	return NewEntry(wire.AppendGap(nil, channel, after, reason), seq, at, chanlog.Gap)
}

// finish makes an entry of a buffer whose first head bytes are free.
func finish(e *chanlog.Entry, buf []byte, head int, seq uint64, at time.Time, kind chanlog.Kind) {
	var room [frameHead]byte
	h := ws.AppendHeader(room[:0], ws.Text, false, len(buf)-head)
	frame := buf[head-len(h):]
	copy(frame, h)
	e.Seq, e.At, e.Kind, e.Head, e.Frame = seq, uint32(at.Unix()), kind, uint8(len(h)), frame
}
