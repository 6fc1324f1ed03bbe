//go:build linux

package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// frame is any frame from the server.
type frame struct {
	Type, Channel, ID, After, Reason, Code, Message, Next string

	Recovered, Complete *bool
	Replayed            int
	Messages            []frame
	Data                json.RawMessage

	n int // a message's number
}

// parseFrame reads a frame. Messages, of which there are very many, are taken
// apart by hand as far as they look as they always do.
func parseFrame(p []byte) (frame, error) {
	if f, ok := quick(p); ok {
		return f, nil
	}
	var f frame
	if err := json.Unmarshal(p, &f); err != nil {
		return f, fmt.Errorf("%.200s: %w", p, err)
	}
	err := f.number()
	for i := range f.Messages {
		if err == nil {
			err = f.Messages[i].number()
		}
	}
	return f, err
}

func (f *frame) number() (err error) {
	if f.Type == "message" {
		f.n, err = numberOf(f.Data)
	}
	return err
}

func quick(p []byte) (f frame, ok bool) {
	rest, ok := bytes.CutPrefix(p, []byte(`{"type":"message","channel":"`))
	if !ok {
		return f, false
	}
	channel, rest, ok := bytes.Cut(rest, []byte(`","id":"`))
	if !ok {
		return f, false
	}
	place, rest, ok := bytes.Cut(rest, []byte(`","time":"`))
	if !ok {
		return f, false
	}
	_, data, ok := bytes.Cut(rest, []byte(`","data":`))
	if !ok || len(data) == 0 {
		return f, false
	}
	n, err := numberOf(data[:len(data)-1])
	return frame{Type: "message", Channel: string(channel), ID: string(place), n: n}, err == nil
}

const (
	dataHead = `{"n":`
	dataPad  = `,"pad":"`
	dataEnd  = `"}`
)

// paddings are of one letter each, so that damage shows.
var paddings = func() (all [26][]byte) {
	for i := range all {
		all[i] = bytes.Repeat([]byte{'a' + byte(i)}, 1<<14)
	}
	return all
}()

// appendData appends a message's data.
func appendData(dst []byte, n, padding int) []byte {
	dst = append(dst, dataHead...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, dataPad...)
	dst = append(dst, paddings[n%26][:padding]...)
	return append(dst, dataEnd...)
}

// numberOf returns the number in a message's data, of which every byte must be
// as it was published.
func numberOf(data []byte) (int, error) {
	rest, ok := bytes.CutPrefix(data, []byte(dataHead))
	digits, rest, ok2 := bytes.Cut(rest, []byte(dataPad))
	pad, ok3 := bytes.CutSuffix(rest, []byte(dataEnd))
	n, err := strconv.Atoi(string(digits))
	if !ok || !ok2 || !ok3 || err != nil || n < 1 || len(pad) > len(paddings[0]) || !bytes.Equal(pad, paddings[n%26][:len(pad)]) {
		return 0, fmt.Errorf("data that nobody published: %.200s", data)
	}
	return n, nil
}
