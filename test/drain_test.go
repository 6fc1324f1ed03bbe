//go:build linux

package test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"
)

// upgrade is the header of a good handshake.
var upgrade = []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}

const everySecond = `
schedules:
  - name: tick
    channel: ticks
    every: 1s
    data: {"n": 1}
`

func TestDrain_ServesOnUntilAllHaveLeft(t *testing.T) {
	t.Parallel()
	s := serve(t, "--config", file(t, "holdfast.yaml", everySecond))
	a, b := s.connect("?channels=ticks"), s.connect("?channels=news")
	a.read()
	b.read()
	s.signal(syscall.SIGTERM)
	s.log.wait(t, "drain started: 2 connections")
	for _, c := range []*client{a, b} {
		if f := c.read(); !regexp.MustCompile(`^{"type":"draining","reason":"restart","forced_in_ms":1[78]\d{5}}$`).MatchString(f.raw) {
			t.Errorf("all clients are told of the drain: %s", f.raw)
		}
	}

	for _, headers := range [][]string{upgrade, nil} {
		refused := s.call("GET", "/ws", "", headers...)
		retry, err := strconv.Atoi(refused.header.Get("Retry-After"))
		if refused.status != http.StatusServiceUnavailable || err != nil || retry < 5 || retry > 30 || !refused.close || !strings.Contains(refused.body, `"code":"draining"`) {
			t.Errorf("a new client got %d, %v, %s", refused.status, refused.header, refused.body)
		}
	}
	if a := s.call("GET", "/readyz", ""); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, `"state":"waiting"`) || !strings.Contains(a.body, `"remaining":2`) {
		t.Errorf("readyz: %d %s", a.status, a.body)
	}
	if a := s.call("GET", "/livez", ""); a.status != http.StatusOK {
		t.Errorf("livez: %d %s", a.status, a.body)
	}
	a.expect("ticks", `{"n":1}`)
	a.expect("ticks", `{"n":1}`)
	s.publish("news", `"still here"`)
	b.expect("news", `"still here"`)
	if f := b.ask(`{"type":"subscribe","channel":"more"}`); f.Type != "subscribed" {
		t.Errorf("subscribing while draining: %s", f.raw)
	}

	_ = a.conn.Close(websocket.StatusNormalClosure, "")
	eventually(t, "one is left", func() bool {
		return strings.Contains(s.call("GET", "/v1/drain", "").body, `"remaining":1,"of":2`)
	})
	_ = b.conn.Close(websocket.StatusNormalClosure, "")
	if exit := s.wait(); exit != 0 {
		t.Errorf("exit code %d", exit)
	}
	if last := s.log.wait(t, "drain complete: 2 of 2 connections ended by themselves"); last.Outcome != "clean" || last.Exit == nil || *last.Exit != 0 {
		t.Errorf("last line: %s", last.raw)
	}
}

// restarted fails the test unless the client was told to come back.
func (c *client) restarted() {
	c.t.Helper()
	code, reason := c.closed()
	if code != 1012 || !regexp.MustCompile(`^restart retry=\d+$`).MatchString(reason) {
		c.t.Errorf("closed with %d %q", code, reason)
	}
}

func TestDrain_ShedsTheRestInOrderUntilTheLimit(t *testing.T) {
	t.Parallel()
	s := serve(t, "--drain-limit", "1s")
	var clients []*client
	for range 20 {
		clients = append(clients, s.connect(""))
	}
	s.signal(syscall.SIGTERM)
	for _, c := range clients {
		c.restarted()
	}
	if exit := s.wait(); exit != 0 {
		t.Errorf("exit code %d", exit)
	}
	s.log.wait(t, "shedding started: closing the remaining 20 of 20 connections")
	if last := s.log.wait(t, "drain complete: 0 of 20"); last.Outcome != "clean" || !strings.Contains(last.raw, `"shed":20`) {
		t.Errorf("last line: %s", last.raw)
	}
}

func TestDrain_LimitForcesTheRestInOrder(t *testing.T) {
	t.Parallel()
	s := serve(t, "--drain-limit", "1s", "--drain-max-rate", "1")
	var clients []*client
	for range 20 {
		clients = append(clients, s.connect(""))
	}
	s.signal(syscall.SIGTERM)
	for _, c := range clients {
		c.restarted()
	}
	if exit := s.wait(); exit != 0 {
		t.Errorf("exit code %d", exit)
	}
	s.log.wait(t, "drain limit reached: closing the remaining")
	if last := s.log.wait(t, "drain complete: 0 of 20"); last.Outcome != "forced" {
		t.Errorf("last line: %s", last.raw)
	}
}

func TestDrain_SecondInterruptForces(t *testing.T) {
	t.Parallel()
	s := serve(t)
	c := s.connect("")
	s.signal(syscall.SIGINT)
	s.log.wait(t, "drain started: 1 connection, 30m")
	s.insist(syscall.SIGINT, "second signal, SIGINT")
	c.restarted()
	if exit := s.wait(); exit != 3 {
		t.Errorf("exit code %d, want 3", exit)
	}
}

func TestDrain_SecondTermHurries(t *testing.T) {
	t.Parallel()
	s := serve(t)
	c := s.connect("")
	s.signal(syscall.SIGTERM)
	s.log.wait(t, "drain started")
	s.insist(syscall.SIGTERM, "second signal, SIGTERM: limit shortened")
	_ = c.conn.Close(websocket.StatusNormalClosure, "")
	if exit := s.wait(); exit != 0 {
		t.Errorf("exit code %d", exit)
	}
}

func TestDrain_ThirdSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.connect("")
	s.signal(syscall.SIGTERM)
	s.log.wait(t, "drain started")
	s.insist(syscall.SIGTERM, "second signal, SIGTERM")
	s.insist(syscall.SIGTERM, "third signal")
	if exit := s.wait(); exit != 3 {
		t.Errorf("exit code %d, want 3", exit)
	}
}

func TestDrain_NobodyConnectedStopsAtOnce(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		s := serve(t)
		s.signal(sig) // as soon as clients could connect
		if exit := s.wait(); exit != 0 {
			t.Errorf("%v: exit code %d", sig, exit)
		}
		s.log.wait(t, "drain complete: nobody was connected")
	}
}

func TestDrain_ClosesTLSClientsInOrder(t *testing.T) {
	t.Parallel()
	certificate := newAuthority(t).issue(t)
	s := certificate.serve(t, "--drain-limit", "1s")
	c := s.connect("")
	s.signal(syscall.SIGTERM)
	c.restarted()
	if exit := s.wait(); exit != 0 {
		t.Errorf("exit code %d", exit)
	}
}

func TestSignal_USR1SaysHowThingsStand(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.connect("")
	s.signal(syscall.SIGUSR1)
	s.log.wait(t, "serving: 1 connection")
}
