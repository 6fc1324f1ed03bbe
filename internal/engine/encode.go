package engine

import (
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

const (
	frameHead = 10  // room for the header of a WebSocket frame
	envelope  = 140 // what surrounds names and data in a message, at most
)

// NewMessage encodes a publication, once for everybody who gets it.
func NewMessage(p wire.Publication, id wire.ID, at time.Time) *chanlog.Entry {
	buf := make([]byte, frameHead, frameHead+envelope+len(p.Channel)+len(p.Event)+len(p.Data))
	buf = wire.AppendMessage(buf, p.Channel, id, at, p.Event, p.Data)
	return entry(buf, id.Seq, at, chanlog.Message)
}

// NewEntry makes an entry of the JSON of a frame, which it copies.
func NewEntry(json []byte, seq uint64, at time.Time, kind chanlog.Kind) *chanlog.Entry {
	buf := make([]byte, frameHead, frameHead+len(json))
	return entry(append(buf, json...), seq, at, kind)
}

// NewGap makes the entry that stands where messages of a channel are lost:
// those behind after and before seq.
func NewGap(channel string, after wire.ID, seq uint64, reason wire.GapReason, at time.Time) *chanlog.Entry {
	return NewEntry(wire.AppendGap(nil, channel, after, reason), seq, at, chanlog.Gap)
}

// entry makes an entry of a buffer whose first frameHead bytes are free.
func entry(buf []byte, seq uint64, at time.Time, kind chanlog.Kind) *chanlog.Entry {
	var room [frameHead]byte
	h := ws.AppendHeader(room[:0], ws.Text, false, len(buf)-frameHead)
	frame := buf[frameHead-len(h):]
	copy(frame, h)
	return &chanlog.Entry{Seq: seq, At: uint32(at.Unix()), Kind: kind, Head: uint8(len(h)), Frame: frame}
}
