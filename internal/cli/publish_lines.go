package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// longestLine bounds one line of standard input; the server's own bound is
// usually less.
const longestLine = 64 << 20

// stream publishes each line of standard input over one request, as fast as
// the lines come, and prints what the server answers to each.
func (p *publishing) stream(ctx context.Context, api *api, channel string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, feed := io.Pipe()
	// net/http waits for the body's reader before it gives a request up.
	context.AfterFunc(ctx, func() { feed.CloseWithError(context.Cause(ctx)) })
	// Standard input can't be interrupted: the feeder is not awaited when the
	// server ends the request first.
	fed := make(chan error, 1)
	go func() {
		err := p.feed(feed, channel)
		fed <- err // before the server can see the end
		feed.CloseWithError(err)
	}()
	resp, err := api.send(ctx, http.MethodPost, "/v1/messages", nil, http.Header{"Content-Type": {"application/x-ndjson"}}, body)
	if err != nil {
		select {
		case cause := <-fed:
			if cause != nil && !errors.Is(cause, io.ErrClosedPipe) {
				return cause
			}
		default:
		}
		return err
	}
	defer resp.Body.Close()
	sum, err := p.receipts(resp.Body)
	if err != nil {
		return err
	}
	select {
	case err = <-fed:
	default:
		err = fmt.Errorf("the server ended the stream after %s lines", grouped(sum.published+sum.refused))
	}
	return p.summary(sum, err)
}

// feed writes a publication for each line of standard input: many at once
// when they come fast, each as it comes when they don't.
func (p *publishing) feed(w io.Writer, channel string) error {
	in := bufio.NewReaderSize(p.In, 64<<10)
	out := bufio.NewWriterSize(w, 64<<10)
	var line, publication []byte
	for n := 1; ; n++ {
		var end error
		if line, end = readLine(in, line[:0]); end != nil && end != io.EOF {
			return fmt.Errorf("line %d of standard input: %w", n, end)
		}
		if text := bytes.TrimSpace(line); len(text) > 0 {
			publication = appendPublication(publication[:0], channel, p.event, asJSON(text))
			if _, err := out.Write(publication); err != nil {
				return err
			}
		}
		if end == io.EOF {
			return out.Flush()
		}
		if waiting, _ := in.Peek(in.Buffered()); !bytes.ContainsRune(waiting, '\n') {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

// readLine appends the next line, with its end, to line.
func readLine(in *bufio.Reader, line []byte) ([]byte, error) {
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > longestLine {
			return line, fmt.Errorf("it is longer than %d bytes", longestLine)
		}
		if err != bufio.ErrBufferFull {
			return line, err
		}
	}
}

func appendPublication(out []byte, channel, event string, data []byte) []byte {
	out = append(out, `{"channel":"`...)
	out = append(out, channel...)
	if event != "" {
		out = append(out, `","event":"`...)
		out = append(out, event...)
	}
	out = append(out, `","data":`...)
	out = append(out, data...)
	return append(out, '}', '\n')
}

// tally counts the answers of a stream.
type tally struct{ published, received, refused int64 }

// receipts prints the answers as they come and counts them.
func (p *publishing) receipts(body io.Reader) (tally, error) {
	var sum tally
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 4<<10), maxAnswer)
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var r receipt
		if err := json.Unmarshal(line, &r); err != nil {
			return sum, fmt.Errorf("the server's answer is not NDJSON: %w", err)
		}
		if r.Error != nil {
			sum.refused++
			p.say("message %s: %s: %s", grouped(sum.published+sum.refused), plainLine(r.Error.Code), plainLine(r.Error.Message))
		} else {
			sum.published++
			sum.received += r.Subscribers
		}
		if p.common.json {
			if err := p.printf("%s\n", line); err != nil {
				return sum, err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return sum, fmt.Errorf("the stream broke after %s answers: %w", grouped(sum.published+sum.refused), err)
	}
	return sum, nil
}

func (p *publishing) summary(sum tally, err error) error {
	if !p.common.json && !p.common.quiet {
		if err := p.printf("%s published, %s received\n", grouped(sum.published), grouped(sum.received)); err != nil {
			return err
		}
	}
	switch {
	case err != nil:
		return err
	case sum.refused > 0:
		return &exitError{exitRefused, fmt.Errorf("messages refused: %s", grouped(sum.refused))}
	case sum.published > 0 && sum.received == 0:
		p.say("0 received. Nobody listens there now")
	}
	return nil
}
