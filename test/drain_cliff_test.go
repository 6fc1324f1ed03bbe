//go:build linux

package test

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// ending is how one client of a drain ended.
type ending struct {
	at   time.Time
	code websocket.StatusCode
	last int // number of the last message it got
}

// outlast reads until the client is closed. Messages are numbered: it fails
// the test when one is missing, repeated or out of order.
func (c *client) outlast(ctx context.Context) (e ending) {
	for {
		_, p, err := c.conn.Read(ctx)
		if err != nil {
			e.at, e.code = time.Now(), websocket.CloseStatus(err)
			return e
		}
		var f frame
		if json.Unmarshal(p, &f) != nil || f.Type != "message" {
			continue
		}
		n, err := strconv.Atoi(string(f.Data))
		if err != nil || e.last > 0 && n != e.last+1 {
			c.t.Errorf("got message %s after %d", f.Data, e.last)
		}
		e.last = n
	}
}

// TestDrain_HasNoCliff drains many clients, none of which leaves by itself,
// while messages are published: each is served until its turn, all are closed
// in order, and at no time many of them together.
func TestDrain_HasNoCliff(t *testing.T) {
	const clients, window = 400, 4 * time.Second
	s := serveMeasured(t, "--drain-limit", "8s")
	endings := make(chan ending, clients)
	var reading sync.WaitGroup
	for range clients {
		c := s.connect("?channels=numbers")
		reading.Go(func() { endings <- c.outlast(t.Context()) })
	}
	var published atomic.Int64
	stop := make(chan struct{})
	reading.Go(func() {
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-tick.C:
				if a, err := s.try("POST", "/v1/channels/numbers/messages", strconv.FormatInt(published.Load()+1, 10)); err == nil && a.status == 200 {
					published.Add(1)
				}
			case <-stop:
				return
			}
		}
	})
	s.signal(syscall.SIGTERM)
	began := time.Now()
	var all []ending
	for range clients {
		all = append(all, <-endings)
	}
	if exit := s.wait(); exit != 0 {
		t.Errorf("exit code %d", exit)
	}
	close(stop)
	reading.Wait()

	const part = 500 * time.Millisecond
	parts := make(map[time.Duration]int)
	first, last := time.Hour, time.Duration(0)
	for _, e := range all {
		if e.code != websocket.StatusServiceRestart {
			t.Errorf("a client was closed with %d", e.code)
		}
		after := e.at.Sub(began)
		parts[after/part]++
		first, last = min(first, after), max(last, after)
		if served := int(after / (20 * time.Millisecond)); e.last < served/4 {
			t.Errorf("a client that was closed after %v had got %d messages", after, e.last)
		}
	}
	if first < 3500*time.Millisecond || last < 7*time.Second || last > 9*time.Second {
		t.Errorf("closed from %v to %v, want the second half of 8s", first, last)
	}
	for at, n := range parts {
		if planned := float64(clients) * part.Seconds() / window.Seconds(); float64(n) > 2*planned {
			t.Errorf("%d clients were closed within %v, from %v on; %g are an even pace", n, part, at*part, planned)
		}
	}
}
