package cli

import (
	"bytes"
	"strings"
	"testing"
)

func TestBench_SaysWhyItCannotMeasure(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--url", "ws://127.0.0.1:1/ws"}, exitUnreachable, "no server answers at 127.0.0.1:1"},
		{[]string{"--clients", "-1"}, exitUsage, "cannot be negative"},
		{[]string{"--clients", "10", "--channels", "5"}, exitUsage, "too few"},
		{[]string{"--url", "wss://127.0.0.1/ws"}, exitFailed, "TLS"},
	} {
		var out, words bytes.Buffer
		a := &app{Stdio: Stdio{Out: &out, Err: &words}, args: c.args}
		bench := newBench(a)
		bench.SilenceErrors, bench.SilenceUsage = true, true
		bench.SetArgs(c.args)
		code := a.finish(bench.ExecuteContext(t.Context()))
		if code != c.code || !strings.Contains(words.String(), c.want) || out.Len() > 0 {
			t.Errorf("%v: exit %d, said %q, printed %q; want exit %d and %q", c.args, code, words.String(), out.String(), c.code, c.want)
		}
	}
}

func TestWebSocketOf(t *testing.T) {
	for server, want := range map[string]string{
		"":                       "",
		"127.0.0.1:9":            "ws://127.0.0.1:9/ws",
		"http://example.test:9/": "ws://example.test:9/ws",
		"https://example.test":   "wss://example.test/ws",
	} {
		if got := webSocketOf(server); got != want {
			t.Errorf("webSocketOf(%q) = %q, want %q", server, got, want)
		}
	}
}
