//go:build linux

package test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"
)

const confirmed = `{"confirm":true}`

// told returns the next frame, which must be about the drain.
func (c *client) told() (forcedIn, leaveIn int, cancelled bool) {
	c.t.Helper()
	f := c.read()
	for f.Type == "message" {
		f = c.read()
	}
	leaveIn = -1
	switch {
	case f.raw == `{"type":"draining","reason":"called_off","cancelled":true}`:
		return 0, -1, true
	case regexp.MustCompile(`^\{"type":"draining","reason":"restart","forced_in_ms":\d+(,"leave_in_ms":\d+)?\}$`).MatchString(f.raw):
		_, _ = fmt.Sscanf(f.raw, `{"type":"draining","reason":"restart","forced_in_ms":%d,"leave_in_ms":%d}`, &forcedIn, &leaveIn)
		return forcedIn, leaveIn, false
	}
	c.t.Fatalf("got %s, want to be told of the drain", f.raw)
	return 0, 0, false
}

func TestDrain_IsCalledShortenedAndCalledOff(t *testing.T) {
	t.Parallel()
	s := serve(t, "--drain-announce", "1m", "--drain-invite")
	a := s.connect("")
	if refused := s.call("DELETE", "/v1/drain", ""); refused.status != http.StatusConflict {
		t.Errorf("calling off what has not begun: %d %s", refused.status, refused.body)
	}
	if begun := s.call("POST", "/v1/drain?limit=20m", confirmed); begun.status != http.StatusOK || !strings.Contains(begun.body, `"state":"announcing"`) || !strings.Contains(begun.body, `"cause":"API"`) {
		t.Errorf("beginning: %d %s", begun.status, begun.body)
	}
	if forced, leave, _ := a.told(); forced < 19*60e3 || forced > 20*60e3 || leave < 0 || leave > 16*60e3 {
		t.Errorf("told of %d ms, and to move in %d", forced, leave)
	}
	if refused := s.call("POST", "/v1/drain", confirmed); refused.status != http.StatusConflict || !strings.Contains(refused.body, `"code":"conflict"`) {
		t.Errorf("beginning again: %d %s", refused.status, refused.body)
	}

	b := s.connect("") // while announced
	if forced, leave, _ := b.told(); forced < 19*60e3 || leave < 0 {
		t.Errorf("a newcomer was told of %d ms, and to move in %d", forced, leave)
	}
	if changed := s.call("POST", "/v1/drain?limit=2m", confirmed); changed.status != http.StatusOK || !strings.Contains(changed.body, `"left_s":120`) {
		t.Errorf("a new limit: %d %s", changed.status, changed.body)
	}
	for _, c := range []*client{a, b} {
		if forced, leave, _ := c.told(); forced < 110e3 || forced > 120e3 || leave < 0 || leave > 90e3 {
			t.Errorf("told of a new limit in %d ms, and to move in %d", forced, leave)
		}
	}
	_ = b.conn.Close(websocket.StatusNormalClosure, "")
	eventually(t, "one has moved", func() bool {
		return strings.Contains(s.call("GET", "/v1/drain", "").body, `"left":0,"moved":1,"shed":0,"forced":0`)
	})

	if off := s.call("DELETE", "/v1/drain", ""); off.status != http.StatusOK || !strings.Contains(off.body, `"state":"serving"`) {
		t.Errorf("calling it off: %d %s", off.status, off.body)
	}
	if _, _, cancelled := a.told(); !cancelled {
		t.Error("nobody was told that it is called off")
	}
	s.log.wait(t, "drain called off: serving on, 1 of 2 connections left")
	if ready := s.call("GET", "/readyz", ""); ready.status != http.StatusOK {
		t.Errorf("readyz: %d %s", ready.status, ready.body)
	}
	c := s.connect("")
	if f := c.ask(`{"type":"ping"}`); f.Type != "pong" {
		t.Errorf("a newcomer got %s after a drain that was called off", f.raw)
	}
}

func TestDrain_CalledOffWhileWaitingTakesClientsAgain(t *testing.T) {
	t.Parallel()
	s := serve(t)
	a := s.connect("")
	s.signal(syscall.SIGTERM)
	if forced, leave, _ := a.told(); forced < 29*60e3 || leave != -1 {
		t.Errorf("told of %d ms, and to move in %d", forced, leave)
	}
	if refused := s.call("GET", "/ws", "", upgrade...); refused.status != http.StatusServiceUnavailable {
		t.Errorf("a newcomer got %d", refused.status)
	}
	s.call("DELETE", "/v1/drain", "")
	a.told()
	eventually(t, "newcomers are let in", func() bool { return s.call("GET", "/ws", "").status == http.StatusUpgradeRequired })
	s.connect("")
	if s.call("POST", "/v1/drain?limit=1s", confirmed).status != http.StatusOK {
		t.Error("it can't be begun anew")
	}
	a.told()
	a.restarted()
	if exit := s.wait(); exit != 0 {
		t.Errorf("exit code %d", exit)
	}
}
