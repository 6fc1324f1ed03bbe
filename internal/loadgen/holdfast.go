package loadgen

import (
	"bytes"
	"fmt"
	"strings"
)

// Holdfast is the dialect of this project's server: JSON in text frames, a
// welcome first.
type Holdfast struct {
	Host    string // for the Host header, HOST:PORT
	Target  string // path and query; "/ws" when empty
	Headers string // further request headers, each ended by CR LF
}

// Request implements [Dialect].
func (h Holdfast) Request(int) []byte {
	target := h.Target
	if target == "" {
		target = "/ws"
	}
	return upgradeRequest(h.Host, target, h.Headers)
}

// Greeting implements [Dialect]: there is none, but the welcome is waited for.
func (h Holdfast) Greeting(int) ([]byte, int) { return nil, 1 }

// Decode implements [Dialect].
func (h Holdfast) Decode(p []byte, to *Sink) int {
	rest, ok := bytes.CutPrefix(p, []byte(`{"type":"`))
	switch {
	case !ok:
		to.Fault(fmt.Sprintf("the server sent what is no frame: %.60q", p))
	case bytes.HasPrefix(rest, []byte(`message"`)):
		to.Message(p)
	case bytes.HasPrefix(rest, []byte(`welcome"`)), bytes.HasPrefix(rest, []byte(`subscribed"`)):
		to.Answer()
	case bytes.HasPrefix(rest, []byte(`error"`)):
		to.Fault(fmt.Sprintf("the server answered %.200s", p))
	}
	return len(p)
}

// perFrame is how many channels one subscribe frame names: few enough for any
// sensible limit on frames from clients.
const perFrame = 250

// Subscribe is what a client sends to subscribe to channels, and how many
// answers that brings.
func Subscribe(channels []string) (frames []byte, answers int) {
	for rest := channels; len(rest) > 0; {
		n := min(perFrame, len(rest))
		body := `{"type":"subscribe","channels":[{"channel":"` + strings.Join(rest[:n], `"},{"channel":"`) + `"}]}`
		frames = AppendFrame(frames, opText, []byte(body))
		rest = rest[n:]
	}
	return frames, len(channels)
}
