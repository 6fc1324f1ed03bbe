package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/wire"
)

// longestFrame bounds one frame from the server.
const longestFrame = 64 << 20

// stream is a subscription that outlives its connections: it connects again
// whenever the server is lost, and ends when the server sends it away.
type stream struct {
	api      *api
	token    credential
	channels []string // broadcast among them when it is listened to
	places   places
	own      bool // the user's own channel too, once it is known who that is
	// frame is called with each frame, in order. Its error ends the stream.
	frame func(head frameHead, text []byte) error
	// lost is told once when the server is lost, found when it is back.
	lost  func(why string)
	found func(away time.Duration)

	used config.Secret // the token of this connection
}

// frameHead is what a stream reads of a frame.
type frameHead struct {
	Type      string          `json:"type"`
	Channel   string          `json:"channel"`
	ID        string          `json:"id"`
	Time      time.Time       `json:"time"`
	Event     string          `json:"event"`
	Data      json.RawMessage `json:"data"`
	Heartbeat float64         `json:"heartbeat_s"`
	Code      string          `json:"code"`
	Message   string          `json:"message"`
	Reason    string          `json:"reason"`
	User      string          `json:"user"`
	After     string          `json:"after"`
	Recovered *bool           `json:"recovered"`
	Replayed  int             `json:"replayed"`
}

// ended is why one connection is over.
type ended struct {
	err    error         // what to tell
	final  bool          // connecting again would not help
	advice time.Duration // the server's own wait, 0 for none
	heard  bool          // it had been welcomed
}

// run receives until ctx is done, frame fails or the server sends us away.
// That the first connection fails is final.
func (s *stream) run(ctx context.Context) error {
	var since time.Time // when the server was lost; zero while it is not
	for attempt := 0; ; attempt++ {
		end := s.connection(ctx, &since)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case end.final || !end.heard && since.IsZero():
			return end.err
		case end.heard:
			attempt = 0
		}
		if since.IsZero() {
			since = time.Now()
			s.lost(end.err.Error())
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait(attempt, end.advice)):
		}
	}
}

// connection carries one connection to its end.
func (s *stream) connection(ctx context.Context, since *time.Time) ended {
	var silence watchdog
	conn, rest, err := s.dial(ctx, &silence)
	if err != nil {
		return s.notConnected(err)
	}
	defer conn.CloseNow()
	conn.SetReadLimit(longestFrame)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence.start(s.api.timeout, func() { cancel(errSilent) })
	defer silence.stop()
	for _, frame := range s.subscribeFrames(rest) {
		if err := conn.Write(ctx, websocket.MessageText, frame); err != nil {
			return s.disconnected(ctx, err, false)
		}
	}
	heard := false
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return s.disconnected(ctx, err, heard)
		}
		var head frameHead
		if err := json.Unmarshal(text, &head); err != nil {
			return ended{err: fmt.Errorf("a frame is not JSON: %w", err), final: true}
		}
		silence.heard()
		if head.Type == "welcome" {
			heard = true
			silence.expect(head.Heartbeat)
			if !since.IsZero() {
				s.found(time.Since(*since))
				*since = time.Time{}
			}
			if err := s.subscribeOwn(ctx, conn, head.User); err != nil {
				return s.disconnected(ctx, err, heard)
			}
		}
		if !s.places.see(head) {
			continue
		}
		if err := s.frame(head, text); err != nil {
			if errors.Is(err, errEnough) {
				conn.Close(websocket.StatusNormalClosure, "")
			}
			return ended{err: err, final: true}
		}
	}
}

// subscribeOwn asks for the user's own channel. Its messages come anyway; that
// it is asked for tells its place, and later connections resume from there.
func (s *stream) subscribeOwn(ctx context.Context, conn *websocket.Conn, user string) error {
	channel := wire.UserPrefix + user
	if !s.own || user == "" || wire.CheckChannel(channel) != nil || slices.Contains(s.channels, channel) {
		return nil
	}
	s.channels = append(s.channels, channel)
	for _, frame := range s.subscribeFrames([]string{channel}) {
		if err := conn.Write(ctx, websocket.MessageText, frame); err != nil {
			return err
		}
	}
	return nil
}

// dial connects, with the token or else the API key, and asks for the
// channels, each from where it was left. It returns those that are still to be
// asked for.
func (s *stream) dial(ctx context.Context, silence *watchdog) (conn *websocket.Conn, rest []string, err error) {
	if s.used, err = s.token.read(); err != nil {
		return nil, nil, err
	}
	header := http.Header{}
	if bearer := cmp.Or(s.used.Reveal(), s.api.key.Reveal()); bearer != "" {
		header.Set("Authorization", "Bearer "+bearer)
	}
	target := s.api.base.JoinPath("/ws")
	target.RawQuery, rest = s.query()
	ctx, cancel := context.WithTimeout(ctx, s.api.timeout)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, target.String(), &websocket.DialOptions{
		HTTPClient:      s.api.http,
		HTTPHeader:      header,
		CompressionMode: websocket.CompressionNoContextTakeover,
		OnPingReceived:  func(context.Context, []byte) bool { silence.heard(); return true },
	})
	if err != nil && resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, nil, refused(resp)
	}
	if err != nil {
		return nil, nil, s.api.broken(err)
	}
	return conn, rest, nil
}

// notConnected judges a connection that did not come about: a refusal is
// final unless the server is draining, full or too busy.
func (s *stream) notConnected(err error) ended {
	end := ended{err: err}
	if e, ok := errors.AsType[*exitError](err); ok && e.code == exitUsage {
		end.final = true // the token's file is gone
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		r.remedy = "Give a token: --token @FILE or HOLDFAST_TOKEN. An API key does too"
		end.advice = r.retryAfter
		end.final = r.status < 500 && r.status != http.StatusTooManyRequests
	}
	return end
}

// disconnected judges the end of a connection by its close code.
func (s *stream) disconnected(ctx context.Context, err error, heard bool) ended {
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		return ended{err: cause, heard: heard}
	}
	closed, ok := errors.AsType[websocket.CloseError](err)
	if !ok {
		return ended{err: errors.New("the connection broke"), heard: heard}
	}
	end := ended{err: fmt.Errorf("closed with %d %s", closed.Code, plainLine(closed.Reason)), heard: heard, advice: closeAdvice(closed.Reason)}
	switch closed.Code {
	case closeToken:
		if s.renewed() {
			break
		}
		fallthrough
	case websocket.StatusNormalClosure, websocket.StatusPolicyViolation, closeByOperator:
		end.final = true
		end.err = &exitError{exitRefused, fmt.Errorf("the server %w", end.err)}
	case websocket.StatusProtocolError, websocket.StatusUnsupportedData, websocket.StatusInvalidFramePayloadData, websocket.StatusMessageTooBig:
		end.final = true
	}
	return end
}

// Close codes of holdfast's own that are final.
const (
	closeToken      = websocket.StatusCode(wire.CloseToken)
	closeByOperator = websocket.StatusCode(wire.CloseByOperator)
)

// renewed reports whether another token is to be had than the one that
// expired or was revoked.
func (s *stream) renewed() bool {
	token, err := s.token.read()
	return err == nil && token.Reveal() != "" && token.Reveal() != s.used.Reveal()
}

// closeAdvice reads the delay of a close reason such as "restart retry=8000".
func closeAdvice(reason string) time.Duration {
	for word := range strings.FieldsSeq(reason) {
		if digits, ok := strings.CutPrefix(word, "retry="); ok {
			ms, err := strconv.ParseUint(digits, 10, 31)
			if err == nil {
				return min(time.Duration(ms)*time.Millisecond, longestAdvice)
			}
		}
	}
	return 0
}
