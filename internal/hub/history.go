package hub

import (
	"context"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// History is a page of a channel's history.
type History struct {
	first, last *chanlog.Entry

	Count int // of entries
	// Complete is whether nothing is missing before the first message: that
	// lies behind since, where one was given, or that is still held.
	Complete bool
	// Next is the place behind the last message: what a reader gives as since
	// to read on.
	Next wire.ID
}

// Append appends the JSON of the messages to dst, with commas between.
func (h *History) Append(dst []byte) []byte {
	first := true
	for e := h.first; e != nil; e = e.Next() {
		if e.Kind == chanlog.Message {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(dst, e.JSON()...)
		}
		if e == h.last {
			break
		}
	}
	return dst
}

// History returns up to limit entries of a channel behind since, or the
// newest ones where since is zero, of no more than so many bytes, but one at
// least. Errors are *wire.Error.
func (h *Hub) History(channel string, since wire.ID, limit, bytes int) (History, error) {
	ctx := context.Background()
	read := h.engine.Read
	if since == (wire.ID{}) {
		read = func(ctx context.Context, channel string, _ wire.ID, limit int) (engine.Page, error) {
			return h.engine.Newest(ctx, channel, limit)
		}
	}
	p, err := read(ctx, channel, since, limit)
	if err != nil {
		return History{}, err
	}
	page := History{Complete: p.Complete, Next: p.Top}
	if p.First == nil {
		return page, nil
	}
	page.first = p.First
	for e := p.First; ; e = e.Next() {
		if bytes -= len(e.Frame); bytes < 0 && e != p.First {
			break
		}
		if e.Kind == chanlog.Gap {
			page.Complete = false
		}
		page.last = e
		page.Count++
		if e == p.Last {
			break
		}
	}
	if p.More || page.last != p.Last {
		page.Next = wire.ID{Epoch: p.Top.Epoch, Seq: page.last.Seq}
	}
	return page, nil
}
