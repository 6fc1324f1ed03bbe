package cli

import (
	"context"
	"strings"
	"testing"
)

// writerFunc is a writer that tells of each write.
type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

func TestStatus_ForPeople(t *testing.T) {
	s := serverStatus{Version: "1.2.3", PID: 4711, Uptime: 93784, Sessions: 12431, Channels: 210, Memory: 38 << 20}
	s.Drain.State = "serving"
	var text []string
	text = append(text, s.lines("http://127.0.0.1:8000")...)
	published, delivered, left := 103.25, 53000.0, 1180.0
	s.Published, s.Delivered = &published, &delivered
	s.Drain.State, s.Drain.Remaining, s.Drain.Of, s.Drain.Left = "waiting", 8120, 12431, &left
	text = append(text, s.lines("http://127.0.0.1:8000")...)
	golden(t, "testdata/status.txt", strings.Join(text, "\n")+"\n")
}

func TestStatus_WatchDrawsOverItselfOnATerminalAndWritesLinesElsewhere(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		var out strings.Builder
		writes := 0
		stdio := Stdio{Err: &strings.Builder{}, OutTerminal: terminal, Out: writerFunc(func(p []byte) {
			out.Write(p)
			if strings.Contains(string(p), "12,431") || strings.Contains(string(p), "12431,") {
				if writes++; writes == 2 {
					cancel()
				}
			}
		})}
		serverOf(t, newFake())(&stdio)
		if code := Run(ctx, []string{"status", "--watch"}, stdio, pretendServer); code != 130 {
			t.Errorf("exit code %d", code)
		}
		if redrawn := strings.Contains(out.String(), "\x1b[8A\x1b[J"); redrawn != terminal {
			t.Errorf("terminal %t: %q", terminal, out.String())
		}
		if lines := strings.Count(out.String(), "\n"); !terminal && lines != 2 {
			t.Errorf("%d lines: %q", lines, out.String())
		}
	}
}
