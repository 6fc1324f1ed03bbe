package cli

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestPublish_DataIsJSONIfItParsesElseAString(t *testing.T) {
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"hi"}, `POST /v1/channels/broadcast/messages "hi"`},
		{[]string{"news", `{"a": 1}`}, `POST /v1/channels/news/messages {"a": 1}`},
		{[]string{"news", `12`}, `POST /v1/channels/news/messages 12`},
		{[]string{"news", `"12"`}, `POST /v1/channels/news/messages "12"`},
		{[]string{"news", `{"a": `}, `POST /v1/channels/news/messages "{\"a\": "`},
		{[]string{"user:ann", "two\nlines"}, `POST /v1/channels/user:ann/messages "two\nlines"`},
		{[]string{"news", "x", "--event", "tick"}, `POST /v1/channels/news/messages?event=tick "x"`},
		{[]string{"news", "--", "-5"}, `POST /v1/channels/news/messages -5`},
		{[]string{"news", ""}, `POST /v1/channels/news/messages ""`},
	}
	for _, test := range tests {
		f := newFake()
		got := runIn(t, serverOf(t, f), append([]string{"publish", "--quiet"}, test.args...)...)
		if seen := f.seen(); got.code != 0 || len(seen) != 1 || seen[0] != test.want {
			t.Errorf("%q: exit code %d, %s, sent %q, want %q", test.args, got.code, got.err, seen, test.want)
		}
	}
}

func TestPublish_ReadsStandardInput(t *testing.T) {
	f := newFake()
	server := serverOf(t, f)
	in := func(text string) func(*Stdio) {
		return func(io *Stdio) { server(io); io.In = strings.NewReader(text) }
	}
	runIn(t, in("all\nof it\n"), "publish", "news", "-")
	runIn(t, in("{\"a\":1}\n\n two \r\n3"), "publish", "news", "--lines", "--event", "tick")
	runIn(t, in("x\n"), "publish", "--lines")
	want := []string{
		`POST /v1/channels/news/messages "all\nof it"`,
		`POST /v1/messages {"channel":"news","event":"tick","data":{"a":1}}`,
		`POST /v1/messages {"channel":"news","event":"tick","data":"two"}`,
		`POST /v1/messages {"channel":"news","event":"tick","data":3}`,
		`POST /v1/messages {"channel":"broadcast","data":"x"}`,
	}
	if !slices.Equal(f.seen(), want) {
		t.Errorf("sent %s", strings.Join(f.seen(), "\n"))
	}
}

func TestPublish_SendsEachLineAsItComes(t *testing.T) {
	typed, keyboard := io.Pipe()
	answers, screen := io.Pipe()
	stdio := Stdio{In: typed, Out: screen, Err: io.Discard}
	serverOf(t, newFake())(&stdio)
	done := make(chan int)
	go func() {
		done <- Run(t.Context(), []string{"publish", "news", "--lines", "--json"}, stdio, pretendServer)
	}()
	answer := make([]byte, 1024)
	for _, line := range []string{"one\n", "two\n"} { // the second when the first was answered
		io.WriteString(keyboard, line)
		if n, err := answers.Read(answer); err != nil || !strings.Contains(string(answer[:n]), `"subscribers":3`) {
			t.Fatalf("%q was answered by %q, %v", line, answer[:n], err)
		}
	}
	keyboard.Close()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestPublish_SaysThatTheServerEndedTheStream(t *testing.T) {
	typed, keyboard := io.Pipe() // never closed
	defer keyboard.Close()
	var err strings.Builder
	stdio := Stdio{In: typed, Out: io.Discard, Err: &err}
	hasty := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		conn.Close()
	})
	serverOf(t, hasty)(&stdio)
	if code := Run(t.Context(), []string{"publish", "--lines"}, stdio, pretendServer); code != 1 || !strings.Contains(err.String(), "ended the stream after 0 lines") {
		t.Errorf("exit code %d, %s", code, err.String())
	}
}
