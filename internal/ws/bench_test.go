package ws

import (
	"bytes"
	"fmt"
	"testing"
)

// notification is n bytes of the JSON that servers of notifications send.
func notification(n int) []byte {
	var b []byte
	for i := 0; len(b) < n; i++ {
		b = fmt.Appendf(b, `{"type":"message","channel":"orders","id":"k3v9qd2x-%d","data":{"order":%d,"state":"shipped"}}`, i, i*7919)
	}
	return b[:n]
}

func BenchmarkFeed(b *testing.B) {
	for _, n := range []int{40, 125, 4096} {
		b.Run(fmt.Sprintf("text=%d", n), func(b *testing.B) {
			frame := AppendMasked(nil, Text, testMask, notification(n))
			fresh := bytes.Clone(frame)
			var r Reader
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				copy(frame, fresh)
				if err := r.Feed(frame, limits, discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFeed_Compressed(b *testing.B) {
	frame := deflated(string(notification(1024)))
	fresh := bytes.Clone(frame)
	var r Reader
	b.ReportAllocs()
	for b.Loop() {
		copy(frame, fresh)
		if err := r.Feed(frame, Limits{MaxMessage: 1024, Deflate: true}, discard); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendFrame(b *testing.B) {
	payload := notification(128)
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendFrame(buf[:0], Text, payload)
	}
}

func BenchmarkDeflate(b *testing.B) {
	for _, n := range []int{256, 1024, 16384} {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			payload := notification(n)
			buf := Deflate(nil, payload)
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				buf = Deflate(buf[:0], payload)
			}
			b.ReportMetric(float64(len(buf))/float64(n), "ratio")
		})
	}
}
