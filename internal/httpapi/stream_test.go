package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

func (v *world) data() (all []string) {
	for _, p := range v.published {
		all = append(all, p.Channel+" "+string(p.Data))
	}
	return all
}

func lines(s string) []string { return slices.Collect(trimmed(strings.Lines(s))) }

func trimmed(seq iter.Seq[string]) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s := range seq {
			if !yield(strings.TrimRight(s, "\n")) {
				return
			}
		}
	}
}

func TestStream_EachLineIsAnsweredInItsTurnAndABadOneHurtsNoOther(t *testing.T) {
	v := newWorld(t)
	v.MaxMessage = 200
	w := v.do(request("POST", "/v1/messages", strings.Join([]string{
		`{"channel":"a","data":1}`,
		`{"channel":"a","data":}`,
		``,
		`{"channel":"a b","data":2}`,
		"  \t",
		`{"channel":"b","event":"e","data":{"x": "y"}}` + "\r",
		`{"channel":"c","data":"` + strings.Repeat("x", 200) + `"}`,
		`[1]`,
		`{"channel":"c"}`,
		`{"channel":"c","channel":"d","data":1}`,
		"{\"channel\":\"c\",\"data\":\"\xff\"}",
		`{"channel":"last","data":null}`,
	}, "\n")))
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	want := []string{
		`{"channel":"a","id":"e-1","time":"2026-05-04T03:02:01.045Z","subscribers":7}`,
		`{"line":2,"error":{"code":"bad_json"`,
		`{"line":4,"error":{"code":"bad_channel"`,
		`{"channel":"b","id":"e-2"`,
		`{"line":7,"error":{"code":"too_large"`,
		`{"line":8,"error":{"code":"bad_json"`,
		`{"line":9,"error":{"code":"bad_request"`,
		`{"line":10,"error":{"code":"bad_request"`,
		`{"line":11,"error":{"code":"bad_json"`,
		`{"channel":"last","id":"e-3"`,
	}
	got := lines(w.Body.String())
	if len(got) != len(want) {
		t.Fatalf("%d answers, want %d:\n%s", len(got), len(want), w.Body)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) || !strings.HasSuffix(got[i], "}") {
			t.Errorf("answer %d is %s, want %s", i+1, got[i], want[i])
		}
	}
	if all := v.data(); !slices.Equal(all, []string{"a 1", `b {"x":"y"}`, "last null"}) {
		t.Errorf("published %q", all)
	}
}

// dribble reads at most n bytes at a time.
type dribble struct {
	r io.Reader
	n int
}

func (d dribble) Read(p []byte) (int, error) { return d.r.Read(p[:min(d.n, len(p))]) }

func streamed(body io.Reader, headers ...string) *http.Request {
	r := httptest.NewRequest("POST", "/v1/messages", struct{ io.Reader }{body})
	r.Host, r.ContentLength = "localhost", -1
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return r
}

func TestStream_TheAnswersDoNotDependOnHowTheBytesCome(t *testing.T) {
	var body strings.Builder
	body.WriteString(" \n\n")
	for i := range 40 {
		fmt.Fprintf(&body, `{"channel":"c%d","data":"%s"}`+"\n", i, strings.Repeat("x", i*13))
		if i%7 == 0 {
			body.WriteString("{bad\n\r\n")
		}
	}
	var want []string
	for _, n := range []int{1 << 20, 1, 2, 3, 7, 64, 1000} {
		v := newWorld(t)
		v.MaxMessage = 400 // some lines are too long
		got := lines(v.do(streamed(dribble{strings.NewReader(body.String()), n})).Body.String())
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d bytes at a time: %d answers, %q; want %d, %q", n, len(got), got, len(want), want)
		}
	}
	if len(want) != 46 {
		t.Errorf("%d answers, want 46", len(want))
	}
}

func TestStream_ALineOverTheLimitIsAnErrorOnThatLineAndHoldsNoMoreMemory(t *testing.T) {
	v := newWorld(t)
	endless := io.MultiReader(
		strings.NewReader(`{"channel":"a","data":1}`+"\n"+`{"channel":"a","data":"`),
		io.LimitReader(repeat('x'), 64<<20),
		strings.NewReader("\"}\n"+`{"channel":"a","data":2}`+"\n"),
	)
	w := v.do(streamed(endless))
	got := lines(w.Body.String())
	if len(got) != 3 || !strings.HasPrefix(got[1], `{"line":2,"error":{"code":"too_large"`) || !slices.Equal(v.data(), []string{"a 1", "a 2"}) {
		t.Errorf("%q, published %q", got, v.data())
	}
	s := newStream(&api{Deps: v.Deps}, w, streamed(io.LimitReader(repeat('{'), 64<<20)))
	if _, e := s.first(); e != nil {
		t.Fatal(e)
	}
	s.run()
	if len(s.buf) > 4<<20 {
		t.Errorf("a buffer of %d bytes for one line", len(s.buf))
	}
}

type repeat byte

func (c repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(c)
	}
	return len(p), nil
}

func TestStream_ALineOfExactlyTheLimitPasses(t *testing.T) {
	const head, tail = `{"channel":"a","data":"`, `"}`
	for _, end := range []string{"\n", "\r\n", ""} {
		for _, extra := range []int{0, 1} {
			v := newWorld(t)
			fit := strings.Repeat("x", v.MaxMessage-len(head)-len(tail)+extra)
			w := v.do(streamed(dribble{strings.NewReader(head + fit + tail + end), 999}))
			if (len(v.published) == 1) != (extra == 0) || strings.Contains(w.Body.String(), "too_large") != (extra == 1) || len(lines(w.Body.String())) != 1 {
				t.Errorf("%d over, end %q: %.200s", extra, end, w.Body)
			}
		}
	}
}

func TestMany_TheBodySaysWhatItIs(t *testing.T) {
	const ndjson = "Content-Type: application/x-ndjson"
	for _, c := range []struct {
		body, header, answer string
	}{
		{`{"channel":"a","data":1}`, "", "{"},
		{" \r\n\t" + `{"channel":"a","data":1}`, "Content-Type: application/json", "{"},
		{`[{"channel":"a","data":1}]`, "", "[\n{"},
		{" \n " + `[{"channel":"a","data":1}]`, "", "[\n{"},
		{`[{"channel":"a","data":1}]`, ndjson, `{"line":1,"error":{"code":"bad_json"`},
		{`7`, ndjson, `{"line":1,"error":{"code":"bad_json"`},
		{"\n\n7", ndjson, `{"line":3,"error":{"code":"bad_json"`},
		{`[]`, "", "[\n]\n"},
	} {
		r := request("POST", "/v1/messages", c.body)
		if c.header != "" {
			r = request("POST", "/v1/messages", c.body, c.header)
		}
		if w := newWorld(t).do(r); w.Code != 200 || !strings.HasPrefix(w.Body.String(), c.answer) {
			t.Errorf("%q as %q: %d %s", c.body, c.header, w.Code, w.Body)
		}
	}
}

func TestMany_BadInput(t *testing.T) {
	for _, c := range []struct {
		body, header string
		code         wire.Code
		says         string
	}{
		{"", "", wire.BadRequest, "empty"},
		{" \n ", "", wire.BadRequest, "empty"},
		{"\n", "application/x-ndjson", wire.BadRequest, "empty"},
		{"  7", "", wire.BadJSON, "byte 3"},
		{"'x'", "text/plain", wire.BadJSON, "byte 1"},
		{`[{"channel":"a","data":1},]`, "", wire.BadJSON, "byte 27"},
		{`[{"channel":"a","data":1}`, "", wire.BadJSON, "after byte 25"},
		{`[{"channel":"a","data":1}] x`, "", wire.BadJSON, "byte 28"},
		{`[` + strings.Repeat(" ", maxArray) + `]`, "", wire.TooLarge, "8388608"},
		{strings.Repeat(" ", 2<<20), "", wire.TooLarge, "1048576"},
	} {
		v := newWorld(t)
		w := v.do(request("POST", "/v1/messages", c.body, "Content-Type: "+c.header))
		if msg := checkRefused(t, w, c.code); !strings.Contains(msg, c.says) || len(v.published) > 0 {
			t.Errorf("%.40q: %q does not say %q, or published %d", c.body, msg, c.says, len(v.published))
		}
	}
}

func TestArray_EachElementSucceedsOrFailsByItself(t *testing.T) {
	v := newWorld(t)
	v.MaxMessage = 50
	w := v.do(request("POST", "/v1/messages", `[ {"channel":"a","data":[1,{"x":"]},["}]} , 7, {"channel":"..","data":1},
		{"data":{"a":"\\\"]"},"channel":"b"},{"channel":"c","data":"`+strings.Repeat("x", 50)+`"}, "x", []]`))
	want := []string{"[", `{"channel":"a","id":"e-1"`, `{"item":2,"error":`, `{"item":3,"error":{"code":"bad_channel"`, `{"channel":"b","id":"e-2"`,
		`{"item":5,"error":{"code":"too_large"`, `{"item":6,"error":`, `{"item":7,"error":`, "]"}
	got := lines(w.Body.String())
	if len(got) != len(want) || wire.CheckJSON(w.Body.Bytes()) != nil {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("line %d is %s, want %s", i, got[i], want[i])
		}
	}
	if !slices.Equal(v.data(), []string{`a [1,{"x":"]},["}]`, `b {"a":"\\\"]"}`}) {
		t.Errorf("published %q", v.data())
	}
}

func TestStream_WhatTheHubRefusesIsSaidOnTheLine(t *testing.T) {
	v := newWorld(t)
	v.fails = wire.Errorf(wire.Unavailable, "closing")
	w := v.do(streamed(strings.NewReader("{\"channel\":\"a\",\"data\":1}\n{\"channel\":\"a\",\"data\":1}\n")))
	if n := strings.Count(w.Body.String(), `"code":"unavailable"`); n != 2 {
		t.Errorf("%s", w.Body)
	}
}

// open begins a streamed request on a real connection.
func openStream(t *testing.T, addr string, head ...string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(c, "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\n"+strings.Join(head, "\r\n")+"\r\n\r\n")
	return c, bufio.NewReader(c)
}

func TestStream_IsAnsweredWhileItIsBeingSent(t *testing.T) {
	c, answers := openStream(t, newWorld(t).serve(t), "Transfer-Encoding: chunked")
	line := `{"channel":"a","data":1}` + "\n"
	fmt.Fprintf(c, "%x\r\n%s\r\n", len(line), line)
	resp, err := http.ReadResponse(answers, nil)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%v %v", resp, err)
	}
	defer resp.Body.Close()
	got := bufio.NewReader(resp.Body)
	for i := range 5 {
		if i > 0 {
			fmt.Fprintf(c, "%x\r\n%s\r\n", len(line), line)
		}
		s, err := got.ReadString('\n')
		if err != nil || !strings.Contains(s, fmt.Sprintf(`"id":"e-%d"`, i+1)) {
			t.Fatalf("answer %d: %q %v", i+1, s, err)
		}
	}
	io.WriteString(c, "0\r\n\r\n")
	if rest, err := io.ReadAll(got); err != nil || len(rest) > 0 {
		t.Errorf("at the end: %q %v", rest, err)
	}
	if !resp.Close {
		t.Error("the connection is kept after a body without a length")
	}
}

func TestStream_AShortOneKeepsTheConnection(t *testing.T) {
	body := `{"channel":"a","data":1}` + "\n"
	one := "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n%s\r\n" + body
	got := talk(t, newWorld(t).serve(t), fmt.Sprintf(one+one, len(body), "", len(body), "Connection: close\r\n"))
	if n := strings.Count(got, "HTTP/1.1 200 OK"); n != 2 || !strings.Contains(got, "e-2") {
		t.Errorf("%d answers: %s", n, got)
	}
}

func TestStream_ABodyThatBreaksOffIsNoSecondRequest(t *testing.T) {
	v := newWorld(t)
	c, answers := openStream(t, v.serve(t), "Content-Length: 500")
	io.WriteString(c, `{"channel":"a","data":1}`+"\nGET /livez HTTP/1.1\r\n")
	c.(*net.TCPConn).CloseWrite()
	got, err := io.ReadAll(answers)
	if err != nil || strings.Count(string(got), "HTTP/1.1 ") != 1 || !strings.Contains(string(got), "Connection: close") {
		t.Errorf("%v: %s", err, got)
	}
}

func TestStream_EveryOneOfManyLinesIsAnswered(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	const count = 200_000
	var total int
	v := newWorld(t)
	v.Publisher = counter{&total}
	addr := v.serve(t)
	body := bytes.Repeat([]byte(`{"channel":"news","data":{"n":12345678}}`+"\n"), count)
	resp, err := http.Post("http://"+addr+"/v1/messages", "application/x-ndjson", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answers := 0
	for s := bufio.NewScanner(resp.Body); s.Scan(); answers++ {
	}
	if answers != count || total != count {
		t.Errorf("%d answers to %d messages, want %d", answers, total, count)
	}
}

// counter publishes nothing, quickly.
type counter struct{ n *int }

func (c counter) Publish(_ context.Context, p wire.Publication) (hub.Receipt, error) {
	*c.n++
	return hub.Receipt{Channel: p.Channel, ID: wire.ID{Epoch: "abcdefghij", Seq: uint64(*c.n)}, Time: time.Now()}, nil
}

func FuzzStream(f *testing.F) {
	f.Add([]byte("{\"channel\":\"a\",\"data\":1}\n\n{bad\r\n{\"channel\":\"b\",\"data\":[]}"), 3)
	f.Add([]byte(" \n[{\"channel\":\"a\",\"data\":\"]\\\"\"},{},[[]],7]"), 5)
	f.Add([]byte(strings.Repeat("x", 70)+"\n{\"channel\":\"a\",\"data\":1}\n"), 64)
	f.Fuzz(func(t *testing.T, body []byte, n int) {
		whole, pieces := newWorld(t), newWorld(t)
		whole.MaxMessage, pieces.MaxMessage = 64, 64
		a := whole.do(streamed(bytes.NewReader(body)))
		b := pieces.do(streamed(dribble{bytes.NewReader(body), max(1, n%100)}))
		if a.Code != b.Code || a.Body.String() != b.Body.String() || !slices.Equal(whole.data(), pieces.data()) {
			t.Fatalf("at once: %d %s\nin pieces of %d: %d %s", a.Code, a.Body, max(1, n%100), b.Code, b.Body)
		}
		switch text := bytes.TrimLeft(body, jsonSpace); {
		case a.Code != 200:
		case text[0] == '[':
			if err := wire.CheckJSON(a.Body.Bytes()); err != nil {
				t.Fatalf("%v: %s", err, a.Body)
			}
		default:
			for _, line := range lines(a.Body.String()) {
				if err := wire.CheckJSON([]byte(line)); err != nil {
					t.Fatalf("%v: %s", err, line)
				}
			}
			answers := 0
			for line := range bytes.SplitSeq(body, []byte{'\n'}) {
				if len(bytes.Trim(line, jsonSpace)) > 0 || len(bytes.TrimSuffix(line, []byte{'\r'})) > 64 {
					answers++
				}
			}
			if got := len(lines(a.Body.String())); got != answers {
				t.Fatalf("%d answers to %d lines: %s", got, answers, a.Body)
			}
		}
	})
}
