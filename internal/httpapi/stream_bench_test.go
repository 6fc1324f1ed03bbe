package httpapi

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	engine "holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/hub"
)

// batch is a chunk of a stream with so many lines of different channels.
func batch(count int) []byte {
	var b bytes.Buffer
	for i := range count {
		fmt.Fprintf(&b, `{"channel":"room:%d","data":{"n":%d,"text":"a message of the usual kind, as it is sent all day"}}`+"\n", i%100, i)
	}
	return b.Bytes()
}

// BenchmarkStream publishes to a real hub without subscribers, by one
// request over a real connection, whose client takes the answers on another
// goroutine of this process. One operation is one line.
func BenchmarkStream(b *testing.B) {
	v := newWorld(b)
	h := hub.New()
	h.Use(engine.New(h), nil)
	v.Publisher = h
	c, err := net.Dial("tcp", v.serve(b))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	const lines = 1000
	body := batch(lines)
	io.WriteString(c, "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
	piece := append(strconv.AppendInt(nil, int64(len(body)), 16), "\r\n"...)
	piece = append(append(piece, body...), "\r\n"...)
	read := make(chan int)
	go func() {
		defer close(read)
		answers := 0
		buf := make([]byte, 256<<10)
		for {
			n, err := c.Read(buf)
			answers += bytes.Count(buf[:n], []byte("\"subscribers\""))
			if err != nil {
				read <- answers
				return
			}
		}
	}()
	b.ReportAllocs()
	began, sent, done := time.Now(), 0, 0
	for b.Loop() {
		if done == sent {
			if _, err := c.Write(piece); err != nil {
				b.Fatal(err)
			}
			sent += lines
		}
		done++
	}
	io.WriteString(c, "0\r\n\r\n")
	answers := <-read
	if answers < sent*999/1000 { // a name cut in two by a read is not counted
		b.Fatalf("%d answers to %d lines", answers, sent)
	}
	b.ReportMetric(float64(sent)/time.Since(began).Seconds(), "lines/s")
}

// BenchmarkLines is the part of it that is not the network's.
func BenchmarkLines(b *testing.B) {
	v := newWorld(b)
	h := hub.New()
	h.Use(engine.New(h), nil)
	v.Publisher = h
	const lines = 500
	body := batch(lines)
	s := newStream(&api{Deps: v.Deps}, discard{}, streamed(nil))
	s.ctx = b.Context()
	s.begun = true
	b.ReportAllocs()
	done := 0
	for b.Loop() {
		if done%lines == 0 {
			s.end = copy(s.buf, body)
			s.lines()
			s.out = s.out[:0]
		}
		done++
	}
}
