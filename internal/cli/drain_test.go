package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

var drainBegan = time.Date(2027, 1, 2, 17, 4, 5, 0, time.UTC)

// inUTC has moments shown in UTC.
func inUTC(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = local })
}

// drainAfter is a drain of 12,431 sessions, 30 minutes long, after so long:
// three of them leave a second, then the server sheds.
func drainAfter(d time.Duration) drainProgress {
	p := drainProgress{
		State: "waiting", Of: 12431, Cause: "SIGTERM", Seconds: (30*time.Minute - d).Seconds(),
		StartedAt: drainBegan, ShedAt: drainBegan.Add(24 * time.Minute), ForcedAt: drainBegan.Add(30 * time.Minute),
	}
	gone := int64(3 * min(d, 24*time.Minute).Seconds())
	p.Moved = gone / 10
	p.Left = gone - p.Moved
	p.Remaining = p.Of - gone
	if d > 24*time.Minute {
		p.State = "shedding"
		p.Shed = p.Remaining * int64(d-24*time.Minute) / int64(6*time.Minute)
		p.Remaining -= p.Shed
	}
	return p
}

func TestDrainScreen_ShowsHowItFalls(t *testing.T) {
	inUTC(t)
	tests := []struct {
		name          string
		from, to      time.Duration // watched
		width, height int
	}{
		{"begun", 0, time.Second, 80, 24},
		{"waiting", 0, 12 * time.Minute, 80, 24},
		{"come-late", 8 * time.Minute, 12 * time.Minute, 80, 24},
		{"shedding", 0, 27 * time.Minute, 80, 24},
		{"end", 0, 30 * time.Minute, 80, 24},
		{"narrow", 0, 12 * time.Minute, 46, 20},
		{"low", 0, 12 * time.Minute, 80, 16},
		{"wide", 0, 27 * time.Minute, 200, 60},
	}
	for _, tt := range tests {
		v := drainScreen{app: &app{}, server: "http://127.0.0.1:8000"}
		for at := tt.from; at < tt.to; at += 5 * time.Second {
			v.fall.add(drainBegan.Add(at), drainAfter(at).Remaining)
		}
		p := drainAfter(tt.to)
		v.fall.add(drainBegan.Add(tt.to), p.Remaining)
		lines := v.lines(drainBegan.Add(tt.to), &p, tt.width, tt.height)
		golden(t, filepath.Join("testdata/drain", tt.name+".txt"), strings.Join(lines, "\n")+"\n")
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); n > tt.width {
				t.Errorf("%s: %d characters: %s", tt.name, n, line)
			}
		}
		if len(lines) >= tt.height {
			t.Errorf("%s: %d lines", tt.name, len(lines))
		}
	}
}

func TestDrainScreen_DrawsOverItself(t *testing.T) {
	inUTC(t)
	var out strings.Builder
	v := drainScreen{app: &app{Stdio: Stdio{Out: &out}}}
	p := drainAfter(time.Minute)
	for range 2 {
		if err := v.show(drainBegan.Add(time.Minute), p); err != nil {
			t.Fatal(err)
		}
	}
	first, second, ok := strings.Cut(out.String(), fmt.Sprintf("\x1b[%dA", v.drawn))
	if !ok || first != second || strings.Count(first, "\n") != v.drawn {
		t.Errorf("drawn twice:\n%q", out.String())
	}
}

func TestProjection_GoesOnAsItWent(t *testing.T) {
	tests := []struct {
		after  time.Duration
		rate   float64 // of those who leave by themselves
		closed float64
		ends   time.Duration
	}{
		{12 * time.Minute, 3, 12431 - 3*24*60, 30 * time.Minute},
		{27 * time.Minute, 22.5, 4055.5, 30 * time.Minute},
	}
	for _, tt := range tests {
		var f drainFall
		for at := time.Duration(0); at <= tt.after; at += 5 * time.Second {
			f.add(drainBegan.Add(at), drainAfter(at).Remaining)
		}
		p := drainAfter(tt.after)
		j := f.project(drainBegan.Add(tt.after), &p)
		if math.Abs(j.rate-tt.rate) > 0.5 || math.Abs(j.closed-tt.closed) > 1 || !j.ends.Equal(drainBegan.Add(tt.ends)) {
			t.Errorf("after %v: %+v", tt.after, j)
		}
		if left := j.at(p.ForcedAt); left != 0 {
			t.Errorf("after %v: %g are left at the end", tt.after, left)
		}
		if now := j.at(j.now); math.Abs(now-float64(p.Remaining)) > 1 {
			t.Errorf("after %v: %g are left now, %d in truth", tt.after, now, p.Remaining)
		}
	}
	fast := drainFall{samples: []drainSample{{drainBegan, 1000}, {drainBegan.Add(10 * time.Second), 900}}}
	p := drainAfter(10 * time.Second)
	p.Remaining = 900
	if j := fast.project(drainBegan.Add(10*time.Second), &p); j.closed != 0 || !j.ends.Equal(drainBegan.Add(100*time.Second)) {
		t.Errorf("ten a second: %+v", j)
	}
}

func TestDrainFall_ForgetsHalfOfMany(t *testing.T) {
	var f drainFall
	for i := range 3 * maxSamples {
		f.add(drainBegan.Add(time.Duration(i)*time.Second), int64(3*maxSamples-i))
	}
	if n := len(f.samples); n > maxSamples || f.samples[0].at != drainBegan {
		t.Errorf("%d samples from %v", n, f.samples[0].at)
	}
	if rate := f.rate(); math.Abs(rate-1) > 0.01 {
		t.Errorf("%g a second, want 1", rate)
	}
}

func TestServerTime_FollowsTheServersClock(t *testing.T) {
	p := drainAfter(time.Minute)
	truth := drainBegan.Add(time.Minute)
	for _, off := range []time.Duration{0, time.Second, -time.Second, time.Hour, -time.Hour} {
		if d := serverTime(truth.Add(off), &p).Sub(truth); d > 2*time.Second || d < -2*time.Second {
			t.Errorf("%v off: %v off", off, d)
		}
	}
}

// drained answers with one state of a drain after the other, then with last.
type drained struct {
	last http.Handler

	mu     sync.Mutex
	states []string
	pids   int
}

func (d *drained) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case r.URL.Path == "/v1/status":
		d.pids++
		fmt.Fprintf(w, `{"pid":%d}`, 4711+d.pids/20) // others after a while
	case r.Method == http.MethodPost:
		io.WriteString(w, d.states[0])
	case len(d.states) > 0:
		io.WriteString(w, d.states[0])
		d.states = d.states[1:]
	default:
		d.last.ServeHTTP(w, r)
	}
}

func drainState(state string, remaining, of int, left float64) string {
	return fmt.Sprintf(`{"state":%q,"remaining":%d,"of":%d,"left_s":%g,"forced_at":"2027-01-02T17:34:05Z","shed_at":"2027-01-02T17:28:05Z","started_at":"2027-01-02T17:04:05Z","cause":"API","left":%d,"moved":0,"shed":0,"forced":0}`,
		state, remaining, of, left, of-remaining)
}

const servingOn = `{"state":"serving","remaining":7}`

func TestDrain_IsFollowedToItsEnd(t *testing.T) {
	all := []string{drainState("announcing", 10, 10, 60), drainState("waiting", 10, 10, 50), drainState("waiting", 9, 10, 49), drainState("shedding", 3, 10, 1)}
	few := []string{drainState("waiting", 900, 1000, 500)}
	tests := []struct {
		name   string
		states []string
		last   http.Handler
		args   []string
		code   int
		lines  int
		err    string
	}{
		{"over", all, brokenServer, []string{"drain", "status", "--watch"}, 0, 4, "over: the server has ended; when it was last seen: left 7, moved 0, shed 0, forced 0\n"},
		{"over, begun here", all, brokenServer, []string{"drain", "start", "--watch"}, 0, 4, "over: the server has ended"},
		{"in silence", all, brokenServer, []string{"drain", "start", "--wait"}, 0, 0, "over: the server has ended"},
		{"quietly", all, brokenServer, []string{"drain", "start", "--wait", "--quiet"}, 0, 0, ""},
		{"as JSON", all, brokenServer, []string{"drain", "status", "--watch", "--json", "--quiet"}, 0, 4, ""},
		{"killed", few, brokenServer, []string{"drain", "start", "--wait"}, 1, 0, "the server ended while 900 of 1,000 sessions were left"},
		{"called off", few, answering(200, servingOn), []string{"drain", "status", "--watch"}, 0, 1, "called off: the server serves on, 7 sessions\n"},
		{"called off, begun here", few, answering(200, servingOn), []string{"drain", "start", "--wait"}, 1, 0, "the drain was called off; the server serves on, 7 sessions"},
		{"refused", few, answering(401, `{"error":{"code":"unauthorized","message":"no"}}`), []string{"drain", "start", "--wait"}, 4, 0, "unauthorized"},
		{"never seen", nil, brokenServer, []string{"drain", "status", "--watch"}, 3, 0, "can't reach"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := runIn(t, serverOf(t, &drained{states: tt.states, last: tt.last}), tt.args...)
			if got.code != tt.code || !strings.Contains(got.err, tt.err) || tt.err == "" && got.err != "" {
				t.Errorf("exit code %d, want %d; %s", got.code, tt.code, got.err)
			}
			if n := strings.Count(got.out, "\n"); n != tt.lines {
				t.Errorf("%d lines, want %d:\n%s", n, tt.lines, got.out)
			}
		})
	}
}

func TestDrain_AnotherProcessMeansThatItIsOver(t *testing.T) {
	d := &drained{states: []string{drainState("waiting", 3, 10, 50)}, last: answering(200, servingOn), pids: 18}
	if got := runIn(t, serverOf(t, d), "drain", "status", "--watch"); got.code != 0 || !strings.Contains(got.err, "over: the server has ended") {
		t.Errorf("exit code %d, %s", got.code, got.err)
	}
}

func TestDrain_InterruptStopsWatchingOnly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var deleted bool
	server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		deleted = deleted || r.Method == http.MethodDelete
		if r.Method == http.MethodGet && r.URL.Path == "/v1/drain" {
			cancel()
		}
		io.WriteString(w, drainState("waiting", 5, 10, 50))
	})
	var out, err strings.Builder
	stdio := Stdio{In: strings.NewReader(""), Out: &out, Err: &err}
	serverOf(t, server)(&stdio)
	code := Run(ctx, []string{"drain", "start", "--watch"}, stdio, pretendServer)
	if code != exitInterrupted || deleted || !strings.Contains(err.String(), "stopped watching; the drain goes on") {
		t.Errorf("exit code %d, %s", code, err.String())
	}
}

func TestDrain_ForgivesASlowAnswer(t *testing.T) {
	f := &drainFollow{view: noView{}}
	slow := &exitError{exitWaited, errors.New("no answer")}
	for range drainPatience - 1 {
		if over, err := f.take(drainProgress{}, slow); over || err != nil {
			t.Fatalf("%v, %v", over, err)
		}
	}
	if _, err := f.take(drainProgress{}, slow); err == nil {
		t.Error("waits for ever")
	}
}
