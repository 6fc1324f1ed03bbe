//go:build linux

package oracle

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// story is a trial that never was: ten messages in one channel, one each
// second, and what one client saw of them, in words:
//
//	fresh:0       subscribed without a place, live from 0
//	m4            message 4
//	back:3>5:2    subscribed since 3, live from 5, recovered, 2 to be replayed
//	lost:3>5:2    the same, not recovered
//	again:4       subscribed again, at 4
//	gap:3:expired a gap after 3
//	over          the connection has ended
func story(t *testing.T, s setup, words string) *judge {
	t.Helper()
	c := &channel{name: "news", size: 10}
	tr := &trial{T: t, setup: s, book: newBook([]*channel{c}), last: map[*channel]id{c: {1, 10}}}
	tr.book.number("e")
	for n := range 10 {
		at := time.Duration(n+1) * time.Second
		p := c.next(0, func(int) string { return "" })
		p.begin("single", at)(at+time.Millisecond, acked, id{1, uint64(n + 1)}, "")
	}
	client := &client{trial: tr, lives: []*life{{plan: &plan{}, connected: 1}}}
	track := &track{channel: c}
	client.tracks, tr.clients = append(client.tracks, track), append(tr.clients, client)
	at := time.Duration(0)
	for word := range strings.FieldsSeq(words) {
		e := read(t, word)
		if e.kind == message {
			at = max(at, time.Duration(e.n)*time.Second+2*time.Millisecond)
		}
		if e.at = at; e.kind == gap || e.kind == resumed {
			e.at = 20 * time.Second
		}
		if track.events = append(track.events, e); e.kind == message || e.kind == fresh {
			track.place = e.id
		}
	}
	return tr.judge()
}

// read reads one word of a story.
func read(t *testing.T, word string) event {
	t.Helper()
	var a, b uint64
	var n int
	head, rest, _ := strings.Cut(word, ":")
	scan := func(format string, args ...any) {
		if _, err := fmt.Sscanf(rest, format, args...); err != nil {
			t.Fatalf("%s: %v", word, err)
		}
	}
	switch head {
	case "fresh":
		scan("%d", &a)
		return event{kind: fresh, id: id{1, a}}
	case "again":
		scan("%d", &a)
		return event{kind: again, id: id{1, a}}
	case "back", "lost":
		scan("%d>%d:%d", &a, &b, &n)
		return event{kind: resumed, since: id{1, a}, id: id{1, b}, n: n, ok: head == "back"}
	case "gap":
		place, why, _ := strings.Cut(rest, ":")
		rest = place
		scan("%d", &a)
		return event{kind: gap, id: id{1, a}, why: why}
	case "over":
		return event{kind: over}
	}
	rest = head
	scan("m%d", &n)
	return event{kind: message, id: id{1, uint64(n)}, n: n}
}

// TestJudge_FindsEachFault tells stories that are true and such in which one
// thing is not as it should be.
func TestJudge_FindsEachFault(t *testing.T) {
	const all = "m1 m2 m3 m4 m5 m6 m7 m8 m9 m10"
	three, skip := setup{history: 3}, setup{history: 3, skip: true}
	for _, c := range []struct {
		setup setup
		words string
		fault string // none where it is empty
	}{
		{three, "fresh:0 " + all, ""},
		{three, "fresh:0 m1 m2 over back:2>10:8 m3 m4 m5 m6 m7 m8 m9 m10", ""},
		{three, "fresh:0 m1 m2 over back:2>10:8 m3 over back:3>10:7 m4 m5 m6 m7 m8 m9 m10", ""},
		{three, "fresh:0 m1 over lost:1>10:3 gap:1:expired m8 m9 m10", ""},
		{three, "fresh:0 m1 again:1 m2 m3 m4 m5 m6 m7 m8 m9 m10", ""},
		{skip, "fresh:0 m1 m2 gap:2:too_slow m10", ""},

		{three, "fresh:0 m1 m2 m4 m5 m6 m7 m8 m9 m10", "no gap says so: numbers [3]"},
		{three, "fresh:0 m2 m3 m4 m5 m6 m7 m8 m9 m10", "no gap says so: numbers [1]"},
		{three, "fresh:0 m1 m1 m2 m3 m4 m5 m6 m7 m8 m9 m10", "comes again, or late"},
		{three, "fresh:0 m1 m2 m4 m3 m5 m6 m7 m8 m9 m10", "comes again, or late"},
		{three, "fresh:0 m1 m2 over back:2>10:9 m2 m3 m4 m5 m6 m7 m8 m9 m10", "comes again, or late"},
		{three, "fresh:0 m1 m2 over back:2>10:7 m4 m5 m6 m7 m8 m9 m10", "no gap says so: numbers [3]"},
		{three, "fresh:0 m1 m2 m3", "never came to the last message"},
		{three, "fresh:0 m1 m2 over back:2>9:5 m3 m4 m5 m6 m7 m8 m9 m10", "there are more"},
		{three, "fresh:0 m1 m2 over back:2>9:8 m3 m4 m5 m6 m7 m8 m9 m10", "did not come"},
		{three, "fresh:3 m4 m5 m6 m7 m8 m9 m10", "was only published later"},
		{three, "fresh:0 m1 again:3 m4 m5 m6 m7 m8 m9 m10", "no gap says so: numbers [2 3]"},
		{three, "fresh:0 m1 m2 m3 again:1 m4 m5 m6 m7 m8 m9 m10", "subscribed again, its place is said to be e-1"},

		{three, "fresh:0 m1 over lost:1>10:3 m8 m9 m10", "no gap says so"},
		{three, "fresh:0 m1 over lost:1>9:8 m2 m3 m4 m5 m6 m7 m8 m9 m10", "not recovered, and no gap is told"},
		{three, "fresh:0 m1 over back:1>10:3 gap:1:expired m8 m9 m10", "recovered, it was said, and a gap follows"},
		{three, "fresh:0 m1 over lost:1>10:2 gap:1:expired m9 m10", "number 8 is missing; the gap says"},
		{three, "fresh:0 m1 over lost:1>10:9 gap:1:expired m2 m3 m4 m5 m6 m7 m8 m9 m10", "nothing is missing"},
		{three, "fresh:0 m1 over lost:1>10:3 gap:2:expired m8 m9 m10", "number 2 is missing before that"},
		{three, "fresh:0 m1 m2 over lost:2>10:3 gap:1:expired m8 m9 m10", "though it was at e-2 already"},
		{three, "fresh:0 m1 over lost:1>10:3 m8 gap:1:expired m9 m10", "no gap says so"},
		{three, "fresh:0 m1 over lost:1>10:3 gap:1:expired over back:1>10:3 m8 m9 m10", "no gap says so"},
		{three, "fresh:0 m1 over lost:1>10:3 gap:1:restarted m8 m9 m10", "nothing was lost by one"},
		{three, "fresh:0 m1 m2 gap:2:too_slow m10", "slow clients are to be closed"},
		{skip, "fresh:0 m1 m2 gap:2:too_slow m3 m4 m5 m6 m7 m8 m9 m10", "nothing is missing"},
		{skip, "fresh:0 m1 m2 gap:3:too_slow m10", "number 3 is missing before that"},
		{skip, "fresh:0 m1 m2 gap:2:weary m10", "no known reason"},
	} {
		j := story(t, c.setup, c.words)
		switch {
		case c.fault == "" && len(j.faults) > 0:
			t.Errorf("%s: %s", c.words, j.full(&j.faults[0]))
		case c.fault != "" && !slices.ContainsFunc(j.faults, func(f fault) bool { return strings.Contains(f.text, c.fault) }):
			t.Errorf("%s: the judge did not find that %s: %v", c.words, c.fault, j.faults)
		}
	}
}

// TestJudge_FindsWhatMustNotExist has publishes come to exist in ways that
// they must not.
func TestJudge_FindsWhatMustNotExist(t *testing.T) {
	for want, change := range map[string]func(c *channel){
		"": func(*channel) {},
		"one id for two messages": func(c *channel) {
			c.publications[4].attempts[0].id = id{1, 4}
		},
		"number 5 exists twice": func(c *channel) {
			p := c.publications[4]
			p.key = "k"
			p.begin("lines", 9*time.Second)(9*time.Second, acked, id{1, 44}, "")
		},
		"number 5 exists though it was refused": func(c *channel) {
			c.publications[4].attempts[0].outcome = refused
		},
		"they stand the other way round": func(c *channel) {
			c.publications[4].attempts[0].id, c.publications[5].attempts[0].id = id{1, 6}, id{1, 5}
		},
	} {
		j := story(t, setup{history: 3}, "fresh:0 m1 m2 m3 m4 m5 m6 m7 m8 m9 m10")
		change(j.book.channels[0])
		j = j.trial.judge()
		if want == "" && len(j.faults) > 0 || want != "" && !slices.ContainsFunc(j.faults, func(f fault) bool { return strings.Contains(f.text, want) }) {
			t.Errorf("want %q, the judge found %v", want, j.faults)
		}
	}
}
