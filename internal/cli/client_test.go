package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// serverOf returns the variables that name a server with this handler.
func serverOf(t *testing.T, h http.Handler, more ...string) func(*Stdio) {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return func(io *Stdio) { io.Environ = append([]string{"HOLDFAST_SERVER=" + srv.URL}, more...) }
}

func answering(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

// hanging never answers; it ends with the request.
var hanging = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
})

// broken ends the connection in place of an answer.
var brokenServer = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })

func TestClient_ExitCodes(t *testing.T) {
	tests := []struct {
		name    string
		handler http.Handler
		args    []string
		code    int
		err     string // part of what is said
	}{
		{"done", newFake(), []string{"publish", "hi"}, 0, ""},
		{"not holdfast", answering(200, "<html>"), []string{"status"}, 1, "did not answer as holdfast does"},
		{"not holdfast either", answering(200, "{}"), []string{"publish", "hi"}, 1, "did not answer as holdfast does"},
		{"a fault there", answering(500, "oops"), []string{"status"}, 1, "no holdfast answers there"},
		{"elsewhere", answering(301, ""), []string{"status"}, 1, "no holdfast answers there"},
		{"usage", newFake(), []string{"status", "now"}, 2, "status wants flags only"},
		{"broken", brokenServer, []string{"status"}, 3, "can't reach"},
		{"broken session", brokenServer, []string{"subscribe"}, 3, "can't reach"},
		{"no key", answering(401, `{"error":{"code":"unauthorized","message":"no key"}}`), []string{"status"}, 4, "--api-key @FILE"},
		{"draining", answering(503, `{"error":{"code":"draining","message":"goodbye"}}`), []string{"publish", "hi"}, 4, "draining): goodbye"},
		{"session refused", answering(403, forbidden), []string{"subscribe"}, 4, "this channel is closed"},
		{"no such channel", answering(404, ""), []string{"subscribe"}, 4, "404"},
		{"stream refused", answering(401, `{"error":{"code":"unauthorized","message":"no key"}}`), []string{"publish", "--lines"}, 4, "no key"},
		{"hostile words", answering(400, `{"error":{"code":"x","message":"\u001b[2J\u202e"}}`), []string{"status"}, 4, `\u001b[2J\u202e`},
		{"silence", hanging, []string{"status", "--timeout", "20ms"}, 5, "did not answer within 20ms"},
		{"silent session", hanging, []string{"subscribe", "--timeout", "20ms"}, 5, "did not answer within 20ms"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := runIn(t, serverOf(t, test.handler), test.args...)
			if got.code != test.code || !strings.Contains(got.err, test.err) || got.code != 0 && !strings.HasPrefix(got.err, "holdfast: ") {
				t.Errorf("exit code %d, want %d; said %q, want %q", got.code, test.code, got.err, test.err)
			}
		})
	}
}

func TestClient_EndsWith130WhenInterrupted(t *testing.T) {
	for _, args := range [][]string{{"status"}, {"subscribe"}, {"publish", "-"}, {"publish", "--lines"}} {
		ctx, cancel := context.WithCancel(t.Context())
		asked := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			cancel()
			hanging(w, r)
		})
		keyboard, typed := net.Pipe() // nothing is typed
		defer typed.Close()
		var err strings.Builder
		stdio := Stdio{In: keyboard, Out: io.Discard, Err: &err}
		serverOf(t, asked)(&stdio)
		if args[len(args)-1] == "-" {
			cancel()
		}
		if code := Run(ctx, args, stdio, pretendServer); code != 130 || err.String() != "" {
			t.Errorf("%v: exit code %d, said %q", args, code, err.String())
		}
		cancel()
	}
}

func TestClient_SendsTheKeyAndNeverShowsIt(t *testing.T) {
	const key = "0123456789abcdef"
	file := t.TempDir() + "/key"
	write(t, file, key+"\n")
	tests := []struct {
		args      []string
		variables []string
	}{
		{[]string{"--api-key", key}, nil},
		{[]string{"--api-key", "@" + file}, []string{"HOLDFAST_API_KEY=another-key-than-this"}},
		{nil, []string{"HOLDFAST_API_KEY=" + key + ",another-key"}},
		{nil, []string{"HOLDFAST_API_KEY=@" + file}},
		{nil, []string{"HOLDFAST_API_KEY_FILE=" + file}},
	}
	for _, test := range tests {
		f := newFake()
		got := runIn(t, serverOf(t, f, test.variables...), append([]string{"publish", "news", "1"}, test.args...)...)
		if seen := f.seen(); got.code != 0 || !slices.Equal(seen, []string{"POST /v1/channels/news/messages 1 (Bearer " + key + ")"}) {
			t.Errorf("%+v: %+v, %q", test, got, seen)
		}
	}
	got := runIn(t, nil, "status", "--server", "127.0.0.1:1", "--api-key", "two words of 0123456789abcdef")
	if got.code != 2 || strings.Contains(got.err, key) {
		t.Errorf("a key with spaces: %+v", got)
	}
}

func TestClient_TakesTheServerFromFlagVariableOrDefault(t *testing.T) {
	a := &app{Stdio: Stdio{Environ: []string{"HOLDFAST_SERVER=https://b.example.com/base/"}}}
	a.common.timeout = 1
	for flag, want := range map[string]string{
		"": "https://b.example.com/base", "http://a.example.com:81": "http://a.example.com:81", "localhost:9000": "http://localhost:9000", "[::1]:80": "http://[::1]:80",
	} {
		a.common.server = flag
		if api, err := a.connect(); err != nil || api.base.String() != want {
			t.Errorf("%q: %v, %v, want %s", flag, api, err, want)
		}
	}
	for _, bad := range []string{"ftp://x", "http://", "http://a@b", "://", "http://a?b=c"} {
		if _, err := serverURL(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// closedPipe is standard output whose reader has left.
type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestClient_IsSilentWhenItsReaderLeaves(t *testing.T) {
	var err strings.Builder
	stdio := Stdio{Out: closedPipe{}, Err: &err}
	serverOf(t, newFake())(&stdio)
	if code := Run(t.Context(), []string{"subscribe"}, stdio, pretendServer); code != 0 || err.String() != "" {
		t.Errorf("exit code %d, said %q", code, err.String())
	}
}

func TestClient_FollowsNoRedirectWithTheKey(t *testing.T) {
	asked := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer elsewhere.Close()
	here := http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect)
	got := runIn(t, serverOf(t, here, "HOLDFAST_API_KEY=0123456789abcdef"), "status")
	if got.code != 1 || asked {
		t.Errorf("followed: %t, %+v", asked, got)
	}
}
