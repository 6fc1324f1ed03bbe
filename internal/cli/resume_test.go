package cli

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"
)

func subscribed(channel string, n int, more string) string {
	return fmt.Sprintf(`{"type":"subscribed","channel":%q,"id":"e-%d"%s}`, channel, n, more)
}

// connections carries out one session after another, each by its script, and
// ends all but the last with 1012.
func connections(scripts ...[]string) func(context.Context, *websocket.Conn, []string) {
	var n atomic.Int32
	return func(ctx context.Context, conn *websocket.Conn, _ []string) {
		i := int(n.Add(1)) - 1
		send(ctx, conn, welcome)
		send(ctx, conn, scripts[i]...)
		if i < len(scripts)-1 {
			conn.Close(websocket.StatusServiceRestart, "restart retry=1")
			return
		}
		conn.Read(ctx)
	}
}

// asked returns the queries of the WebSocket requests that f was sent.
func (f *fake) asked() (queries []string) {
	for _, line := range f.seen() {
		if rest, ok := strings.CutPrefix(line, "GET /ws?"); ok {
			queries = append(queries, strings.TrimSpace(rest))
		}
	}
	return queries
}

func TestSubscribe_GoesOnBehindTheLastMessage(t *testing.T) {
	f := newFake()
	f.connect = connections(
		[]string{subscribed("broadcast", 7, ""), subscribed("news", 3, ""), message("news", 4, "4")},
		[]string{
			subscribed("broadcast", 9, `,"recovered":true,"replayed":1`), subscribed("news", 6, `,"recovered":true,"replayed":2`),
			message("broadcast", 9, "9"), message("news", 4, "4"), message("news", 5, "5"), // and breaks before 6
		},
		[]string{
			subscribed("broadcast", 9, `,"recovered":true,"replayed":0`), subscribed("news", 20, `,"recovered":false,"replayed":1`),
			`{"type":"gap","channel":"news","after":"e-5","reason":"expired"}`, message("news", 20, "20"),
		},
	)
	got := runIn(t, serverOf(t, f), "subscribe", "news", "broadcast", "--count", "4")
	var shown []string
	for line := range strings.Lines(got.out) {
		if strings.Contains(line, `"type":"message"`) || strings.Contains(line, `"type":"gap"`) {
			shown = append(shown, line)
		}
	}
	want := []string{
		message("news", 4, "4") + "\n", message("broadcast", 9, "9") + "\n", message("news", 5, "5") + "\n",
		`{"type":"gap","channel":"news","after":"e-5","reason":"expired"}` + "\n", message("news", 20, "20") + "\n",
	}
	if got.code != 0 || !slices.Equal(shown, want) {
		t.Errorf("exit code %d, shown\n%s", got.code, strings.Join(shown, ""))
	}
	if !strings.Contains(got.err, "gap in news behind e-5: messages are missing that the server keeps no longer\n") {
		t.Errorf("said %q", got.err)
	}
	queries := []string{
		"channels=broadcast,news",
		"channels=broadcast,news&since=broadcast:e-7,news:e-4",
		"channels=broadcast,news&since=broadcast:e-9,news:e-5",
	}
	if asked := f.asked(); !slices.Equal(asked, queries) {
		t.Errorf("asked for %q", asked)
	}
}

func TestSubscribe_BeginsBehindAnID(t *testing.T) {
	tests := []struct {
		args  []string
		query string
	}{
		{nil, "channels=broadcast"},
		{[]string{"--since", "k3v9-41"}, "channels=broadcast&since=k3v9-41"},
		{[]string{"news", "--since", "k3v9-41"}, "channels=news&since=k3v9-41"},
		{[]string{"a:b", "--since", "a:b:k3v9-41"}, "channels=a:b&since=k3v9-41"},
		{[]string{"a:b", "news", "--since", "a:b:k3v9-41"}, "channels=a:b,news&since=a:b:k3v9-41"},
		{[]string{"news", "a", "news", "--since", "news:k3v9-41,a:k3v9-0"}, "channels=news,a&since=news:k3v9-41,a:k3v9-0"},
	}
	for _, test := range tests {
		f := newFake()
		got := runIn(t, serverOf(t, f), append([]string{"subscribe", "--for", "20ms"}, test.args...)...)
		if asked := f.asked(); got.code != 0 || !slices.Equal(asked, []string{test.query}) {
			t.Errorf("%q: asked for %q: %+v", test.args, asked, got)
		}
	}
	for since, want := range map[string]string{
		"41": "an id looks like", "k3v9-41": "of which channel?", "c:k3v9-41": "not among", "a:k3v9-1,a:k3v9-2": "twice", "a:": "an id looks like",
	} {
		got := runIn(t, serverOf(t, newFake()), "subscribe", "a", "b", "--since", since)
		if since == "41" {
			got = runIn(t, serverOf(t, newFake()), "subscribe", "a", "--since", since)
		}
		if got.code != 2 || !strings.Contains(got.err, want) {
			t.Errorf("--since %s: %+v", since, got)
		}
	}
}

func TestSubscribe_ListensToTheUsersOwnChannel(t *testing.T) {
	for args, want := range map[string][]string{
		"":     {"channels=broadcast", "channels=broadcast,user:ann&since=broadcast:e-7,user:ann:e-2"},
		"news": {"channels=news", "channels=news&since=e-9"},
	} {
		var n atomic.Int32
		f := newFake()
		f.connect = func(ctx context.Context, conn *websocket.Conn, channels []string) {
			send(ctx, conn, `{"type":"welcome","user":"ann","heartbeat_s":25}`, subscribed("broadcast", 7, ""), subscribed("news", 9, ""))
			if args == "" && n.Load() == 0 {
				if _, frame, _ := conn.Read(ctx); string(frame) != `{"type":"subscribe","channels":[{"channel":"user:ann"}]}` {
					t.Errorf("sent %s", frame)
				}
				send(ctx, conn, subscribed("user:ann", 1, ""))
			}
			if n.Add(1) == 1 {
				send(ctx, conn, message("user:ann", 2, "2"))
				conn.Close(websocket.StatusServiceRestart, "restart retry=1")
				return
			}
			send(ctx, conn, message("user:ann", 3, "3"), message("news", 10, "4"))
			conn.Read(ctx)
		}
		got := runIn(t, serverOf(t, f), append(strings.Fields("subscribe "+args), "--count", map[bool]string{true: "2", false: "1"}[args == ""])...)
		if asked := f.asked(); got.code != 0 || !slices.Equal(asked, want) || strings.Contains(got.out, `"user:ann"`) == (args == "news") {
			t.Errorf("%q: asked for %q: %+v", args, asked, got)
		}
	}
}

func TestSubscribe_AsksForManyChannelsByFrames(t *testing.T) {
	var channels []string
	for i := range 600 {
		channels = append(channels, fmt.Sprintf("channel-with-a-rather-long-name-%d", i))
	}
	f := newFake()
	var n atomic.Int32
	named := map[string]int{}
	f.connect = func(ctx context.Context, conn *websocket.Conn, inQuery []string) {
		send(ctx, conn, welcome)
		for _, name := range inQuery {
			named[name]++
			send(ctx, conn, subscribed(name, 5, ""))
		}
		rest := len(channels) - len(inQuery)
		resumed := 0
		for rest > 0 {
			_, frame, err := conn.Read(ctx)
			if err != nil || len(frame) > 64<<10 {
				t.Errorf("a frame of %d bytes, %v", len(frame), err)
				return
			}
			resumed += strings.Count(string(frame), `"since":"e-5"`)
			for _, part := range strings.Split(string(frame), `{"channel":"`)[1:] {
				name, _, _ := strings.Cut(part, `"`)
				named[name]++
				rest--
				send(ctx, conn, subscribed(name, 5, ""))
			}
		}
		if n.Add(1) == 1 {
			conn.Close(websocket.StatusServiceRestart, "restart retry=1")
			return
		}
		if resumed != len(channels)-len(inQuery) {
			t.Errorf("%d channels were resumed by frames, of %d", resumed, len(channels)-len(inQuery))
		}
		send(ctx, conn, message(channels[0], 6, "1"))
		conn.Read(ctx)
	}
	got := runIn(t, serverOf(t, f), append([]string{"subscribe", "--count", "1"}, channels...)...)
	if got.code != 0 || len(named) != len(channels) {
		t.Errorf("exit code %d, %s; %d channels were named", got.code, got.err, len(named))
	}
	for name, times := range named {
		if times != 2 {
			t.Errorf("%s was named %d times in 2 connections", name, times)
		}
	}
	for _, query := range f.asked() {
		if len(query) > 8<<10 {
			t.Errorf("a query of %d bytes", len(query))
		}
	}
}

func TestSubscribe_SendsTheTokenAndTakesANewOne(t *testing.T) {
	file := t.TempDir() + "/token"
	write(t, file, "aaa.bbb.ccc\n")
	f := newFake()
	f.connect = func(ctx context.Context, conn *websocket.Conn, _ []string) {
		if len(f.seen()) == 1 {
			send(ctx, conn, welcome, message("broadcast", 1, "1"))
			write(t, file, "ddd.eee.fff\n")
			conn.Close(closeToken, "token expired retry=1")
			return
		}
		send(ctx, conn, welcome, message("broadcast", 2, "2"))
		conn.Close(closeToken, "token expired")
	}
	got := runIn(t, serverOf(t, f, "HOLDFAST_API_KEY=0123456789abcdef"), "subscribe", "--token", "@"+file)
	want := []string{"GET /ws?channels=broadcast  (Bearer aaa.bbb.ccc)", "GET /ws?channels=broadcast&since=e-1  (Bearer ddd.eee.fff)"}
	if seen := f.seen(); got.code != 4 || !slices.Equal(seen, want) || !strings.Contains(got.err, "4001 token expired") {
		t.Errorf("%q: %+v", seen, got)
	}
	for _, variables := range [][]string{{"HOLDFAST_TOKEN=aaa.bbb.ccc"}, {"HOLDFAST_TOKEN_FILE=" + file}, {"HOLDFAST_TOKEN=@" + file}} {
		f := newFake()
		runIn(t, serverOf(t, f, variables...), "subscribe", "--count", "1")
		if seen := f.seen(); len(seen) != 1 || !strings.Contains(seen[0], "(Bearer ") {
			t.Errorf("%q: %q", variables, seen)
		}
	}
	f = newFake()
	runIn(t, serverOf(t, f, "HOLDFAST_API_KEY=0123456789abcdef"), "subscribe", "--count", "1")
	if seen := f.seen(); len(seen) != 1 || !strings.Contains(seen[0], "(Bearer 0123456789abcdef)") {
		t.Errorf("with a key and no token: %q", seen)
	}
	got = runIn(t, serverOf(t, answering(http.StatusUnauthorized, `{"error":{"code":"unauthorized","message":"no token"}}`)), "subscribe")
	if got.code != 4 || !strings.Contains(got.err, "no token. Give a token: --token @FILE or HOLDFAST_TOKEN") {
		t.Errorf("without a token: %+v", got)
	}
	got = runIn(t, serverOf(t, newFake()), "subscribe", "--token", "@"+file+"-is-not-there")
	if got.code != 2 || !strings.Contains(got.err, "can't read the token") {
		t.Errorf("without its file: %+v", got)
	}
}
