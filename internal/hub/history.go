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
	newest := since == (wire.ID{})
	read := func() (engine.Page, error) { return h.engine.Read(context.Background(), channel, since, limit) }
	if newest {
		read = func() (engine.Page, error) { return h.engine.Newest(context.Background(), channel, limit) }
	}
	p, err := read()
	if err != nil {
		return History{}, err
	}
	page := History{first: p.First, last: p.Last, Complete: p.Complete, Next: p.Top}
	if newest {
		page.cutFront(bytes)
	} else {
		page.cutBack(bytes)
	}
	for e := page.first; e != nil; e = e.Next() {
		page.Count++
		if e.Kind == chanlog.Gap {
			page.Complete = false
		}
		if e == page.last {
			break
		}
	}
	if p.More || page.last != p.Last {
		page.Next = wire.ID{Epoch: p.Top.Epoch, Seq: page.last.Seq}
	}
	return page, nil
}

// cutBack leaves out the newest entries over a bound of bytes.
func (h *History) cutBack(bytes int) {
	if h.first == nil {
		return
	}
	last := h.first
	for bytes -= len(last.Frame); last != h.last; last = last.Next() {
		if bytes -= len(last.Next().Frame); bytes < 0 {
			break
		}
	}
	h.last = last
}

// cutFront leaves out the oldest entries over a bound of bytes.
func (h *History) cutFront(bytes int) {
	if h.first == nil {
		return
	}
	over := -bytes
	for e := h.first; ; e = e.Next() {
		if over += len(e.Frame); e == h.last {
			break
		}
	}
	for ; over > 0 && h.first != h.last; h.first = h.first.Next() {
		over -= len(h.first.Frame)
		h.Complete = false
	}
}
