package cli

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestHistory_OnATerminalALineIsForPeople(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = local })
	f := newFake()
	got := runIn(t, onTerminal(serverOf(t, f)), "history", "news", "--since", "e-0", "--limit", "3")
	want := "14:02:11 news  {\"price\":12}\n14:02:11 news  \"two\"\n14:02:11 news  3\n"
	if got.code != 0 || got.out != want || !strings.HasSuffix(got.err, "go on from here: holdfast subscribe news --since e-3\n") {
		t.Errorf("%+v", got)
	}
	if seen := f.seen(); !slices.Equal(seen, []string{"GET /v1/channels/news/messages?limit=3&since=e-0 "}) {
		t.Errorf("asked for %q", seen)
	}
	if got := runIn(t, onTerminal(serverOf(t, newFake())), "history", "empty"); got.out != "" || got.err != "empty holds no such message\n" {
		t.Errorf("%+v", got)
	}
}

func TestDisconnect_SendsWhatTheServerWants(t *testing.T) {
	for args, want := range map[string]string{
		"00f3":                "DELETE /v1/sessions/00f3 ",
		"00f3 --revoke":       "DELETE /v1/sessions/00f3?revoke=true ",
		"--user ann@x":        `DELETE /v1/users/ann@x/sessions {"confirm":true}`,
		"--user ann --revoke": `DELETE /v1/users/ann/sessions?revoke=true {"confirm":true}`,
	} {
		f := newFake()
		got := runIn(t, serverOf(t, f), strings.Fields("disconnect "+args)...)
		if seen := f.seen(); got.code != 0 || !slices.Equal(seen, []string{want}) {
			t.Errorf("%s: %+v, sent %q", args, got, seen)
		}
	}
}

func TestPublish_SaysThatAKeyWasUsedBefore(t *testing.T) {
	f := newFake()
	got := runIn(t, serverOf(t, f), "publish", "news", "1", "--key", "again")
	if got.code != 0 || got.out != "e-1\n" || got.err != "published before with this key; nothing was sent again\n" {
		t.Errorf("%+v", got)
	}
	if seen := f.seen(); !slices.Equal(seen, []string{"POST /v1/channels/news/messages 1 key=again"}) {
		t.Errorf("sent %q", seen)
	}
	if got := runIn(t, serverOf(t, f), "publish", "news", "1", "--key", "first"); got.out != "e-1  3 received\n" {
		t.Errorf("%+v", got)
	}
	for _, args := range [][]string{{"publish", "news", "--lines", "--key", "x"}, {"publish", "news", "1", "--key", "a\tb"}} {
		if got := runIn(t, serverOf(t, f), args...); got.code != 2 {
			t.Errorf("%q: %+v", args, got)
		}
	}
}
