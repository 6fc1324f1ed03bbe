package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

const (
	// chunk is how much of a stream is read at a time, and how much of its
	// answers is gathered at most, in bytes.
	chunk = 64 << 10
	// linePatience is how long a stream may go without a whole line.
	linePatience = 30 * time.Second
)

// stream publishes the lines of one request while they come in, and answers
// each in turn. What was answered is sent whenever the input pauses, at the
// latest after each chunk; a client must take answers while it sends.
//
// A line that fails is answered with the reason, and the next one is read.
// Empty lines are passed over without an answer.
type stream struct {
	publisher
	w    http.ResponseWriter
	r    *http.Request
	rc   *http.ResponseController
	line time.Time // when the last whole line came

	// buf[start:end] is read but not published yet; there is no line end in
	// buf[start:seen].
	buf              []byte
	start, seen, end int
	read             int64 // bytes of the body so far
	skipping         bool  // the rest of the line is too much
	begun            bool  // answers were sent
}

func newStream(a *api, w http.ResponseWriter, r *http.Request) *stream {
	now := time.Now()
	return &stream{
		publisher: publisher{api: a, ctx: r.Context(), unit: "line", last: now, budget: a.rates.budget(r)},
		w:         w, r: r, rc: http.NewResponseController(w),
		line: now,
		buf:  make([]byte, chunk),
	}
}

// first reads up to the first byte that is no white space, which it returns.
func (s *stream) first() (byte, *wire.Error) {
	for {
		err := s.fill()
		for ; s.start < s.end; s.start++ {
			if c := s.buf[s.start]; bytes.IndexByte([]byte(jsonSpace), c) < 0 {
				return c, nil
			}
		}
		switch {
		case err == io.EOF:
			return 0, wire.Errorf(wire.BadRequest, `the body is empty; it is one message a line: {"channel":"news","data":"hi"}`)
		case err != nil:
			return 0, brokenStream(err)
		case s.end > s.api.MaxMessage:
			return 0, tooLarge(s.api.MaxMessage)
		}
	}
}

// run publishes line by line until the body ends.
func (s *stream) run() {
	s.rc.EnableFullDuplex()
	s.w.Header().Set("Content-Type", "application/x-ndjson")
	s.count = bytes.Count(s.buf[:s.start], []byte{'\n'})
	s.seen = s.start
	s.last = time.Now()
	for err := error(nil); ; err = s.fill() {
		if !s.lines() {
			return
		}
		if err != nil {
			s.finish(err)
			return
		}
		if !s.send() {
			return
		}
	}
}

// finish deals with what is left when the body ended with err.
func (s *stream) finish(err error) {
	if err == io.EOF {
		s.rc.SetReadDeadline(time.Time{})
		if rest := s.buf[s.start:s.end]; !s.skipping {
			s.take(rest)
		}
	} else {
		s.count++
		s.fail(brokenStream(err))
		s.out = append(s.out, '\n')
	}
	s.send()
}

// lines publishes all whole lines that were read and makes room behind the
// one that is not whole. It reports whether the client still takes answers.
func (s *stream) lines() bool {
	for whole := false; ; whole = true {
		i := bytes.IndexByte(s.buf[s.seen:s.end], '\n')
		if i < 0 {
			if whole {
				s.line = time.Now()
			}
			break
		}
		line := s.buf[s.start : s.seen+i]
		s.start = s.seen + i + 1
		s.seen = s.start
		if s.skipping {
			s.skipping = false
			continue
		}
		s.take(line)
		if len(s.out) >= chunk && !s.send() {
			return false
		}
	}
	if s.end-s.start > s.api.MaxMessage+1 && !s.skipping { // + 1: it may end with CR
		s.tooLong()
		s.skipping = true
	}
	if s.skipping {
		s.start = s.end
	}
	if s.start > 0 {
		s.end = copy(s.buf, s.buf[s.start:s.end])
	}
	s.start, s.seen = 0, s.end
	return true
}

// take publishes one line.
func (s *stream) take(line []byte) {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	switch {
	case len(line) > s.api.MaxMessage:
		s.tooLong()
		return
	case len(bytes.TrimLeft(line, jsonSpace)) == 0:
		s.count++
		return
	}
	s.publish(line)
	s.out = append(s.out, '\n')
}

func (s *stream) tooLong() {
	s.count++
	s.fail(wire.Errorf(wire.TooLarge, "the line is larger than the limit of %d bytes", s.api.MaxMessage))
	s.out = append(s.out, '\n')
}

// fill reads more of the body, behind what is left of it.
func (s *stream) fill() error {
	if s.end == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	s.rc.SetReadDeadline(s.line.Add(linePatience))
	n, err := s.r.Body.Read(s.buf[s.end:])
	s.end += n
	s.read += int64(n)
	return err
}

// send sends the answers that have gathered and reports whether the client
// still takes them.
func (s *stream) send() bool {
	if len(s.out) == 0 {
		return true
	}
	if !s.begun && s.r.ProtoMajor == 1 && s.read != s.r.ContentLength {
		// What is left of a body that breaks off must not be taken for
		// another request.
		s.w.Header().Set("Connection", "close")
	}
	s.begun = true
	s.rc.SetWriteDeadline(time.Now().Add(answerPatience))
	_, err := s.w.Write(s.out)
	s.out = s.out[:0]
	if err == nil {
		err = s.rc.Flush()
	}
	unhurried(s.rc, s.r)
	return err == nil
}

// brokenStream says why a stream could not be read to its end.
func brokenStream(err error) *wire.Error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return wire.Errorf(wire.Timeout, "no whole line came for %d seconds", int(linePatience.Seconds()))
	}
	return brokenBody(err)
}

func appendInt(dst []byte, n int) []byte { return strconv.AppendInt(dst, int64(n), 10) }
