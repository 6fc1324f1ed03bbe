package ws

import (
	"compress/flate"
	"sync"
)

// Deflate appends payload compressed as one message of permessage-deflate
// without context takeover (RFC 7692, section 7.2.1). It goes behind
// [AppendHeader] with compressed set. Safe for concurrent use.
func Deflate(dst, payload []byte) []byte {
	d := deflaters.Get().(*deflater)
	d.dst = dst
	d.flate.Reset(d)
	// Writes go to memory and do not fail.
	_, _ = d.flate.Write(payload)
	_ = d.flate.Flush()
	dst = d.dst[:len(d.dst)-4] // without the 00 00 ff ff
	d.dst = nil
	deflaters.Put(d)
	return dst
}

var deflaters = sync.Pool{New: func() any {
	d := new(deflater)
	// Notifications of 256 B to 16 KiB come out as small at this level as at
	// the default one, in less than half the time: a Reset of the default
	// clears tables of 650 KiB.
	//
	// NewWriter refuses unknown levels alone.
	d.flate, _ = flate.NewWriter(d, flate.BestSpeed)
	return d
}}

// deflater is a compressor that appends to dst.
type deflater struct {
	flate *flate.Writer
	dst   []byte
}

// Write implements io.Writer.
func (d *deflater) Write(p []byte) (int, error) {
	d.dst = append(d.dst, p...)
	return len(p), nil
}
