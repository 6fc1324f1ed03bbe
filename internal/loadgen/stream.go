package loadgen

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// Publisher is a way to publish to one kind of server. One goroutine uses it.
type Publisher interface {
	// Append adds one publication to dst as Write takes it.
	Append(dst []byte, channel string, data []byte) []byte
	// Write publishes what Append has put together.
	Write(p []byte) (n int, err error)
	// Close ends the publishing, waits for what the server has to say to it,
	// and fails when the server refused anything.
	Close() error
}

// Stream publishes to holdfast: NDJSON in the body of one long request, whose
// answer has a line per line.
type Stream struct {
	req      *http.Request
	body     *io.PipeWriter
	begun    bool
	done     chan struct{} // closed when the answer has ended
	answered atomic.Uint64
	refused  atomic.Uint64
	first    string // the first refusal; valid once done
	err      error  // valid once done
}

// NewStream prepares a request to base, http://HOST:PORT. The first Write begins
// it; it lasts until Close, or until ctx is done.
func NewStream(ctx context.Context, base, key string) (*Stream, error) {
	reader, writer := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/messages", reader)
	if err != nil {
		return nil, fmt.Errorf("publish to %s: %w", base, err)
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	authorize(req, key)
	return &Stream{req: req, body: writer, done: make(chan struct{})}, nil
}

// run carries the request out. The end of its answer ends the writing too.
func (s *Stream) run() {
	defer close(s.done)
	s.err = s.exchange()
	why := s.err
	if why == nil {
		why = errors.New("the server has ended its answer")
	}
	s.req.Body.(*io.PipeReader).CloseWithError(why)
}

func authorize(req *http.Request, key string) {
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
}

// exchange sends the request and reads its answer to the end.
func (s *Stream) exchange() error {
	transport := &http.Transport{DisableCompression: true, WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(s.req)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("publish: the server answered HTTP %d: %s", resp.StatusCode, bytes.TrimSpace(why))
	}
	lines := bufio.NewReaderSize(resp.Body, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			s.answer(line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("publish: read the server's answers: %w", err)
		}
	}
}

func (s *Stream) answer(line []byte) {
	if bytes.Contains(line, []byte(`"error"`)) {
		if s.refused.Add(1) == 1 {
			s.first = string(bytes.TrimSpace(line))
		}
		return
	}
	s.answered.Add(1)
}

// Append implements [Publisher]. The channel's name must need no escaping.
func (s *Stream) Append(dst []byte, channel string, data []byte) []byte {
	dst = append(dst, `{"channel":"`...)
	dst = append(dst, channel...)
	dst = append(dst, `","data":`...)
	dst = append(dst, data...)
	return append(dst, '}', '\n')
}

// Write implements [Publisher].
func (s *Stream) Write(p []byte) (int, error) {
	if !s.begun {
		s.begun = true
		go s.run()
	}
	return s.body.Write(p)
}

// Answered is how many publications the server has accepted so far.
func (s *Stream) Answered() uint64 { return s.answered.Load() }

// Close implements [Publisher].
func (s *Stream) Close() error {
	if !s.begun {
		return nil
	}
	s.body.Close()
	<-s.done
	if n := s.refused.Load(); n > 0 && s.err == nil {
		return fmt.Errorf("the server refused %d publications, the first with %s", n, s.first)
	}
	return s.err
}
