package transport

import (
	"bytes"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

func TestEvent_IsWrittenAsBrowsersReadIt(t *testing.T) {
	for _, c := range []struct {
		kind, id, data, want string
	}{
		{"message", "e-1", `{"a":1}`, "event: message\nid: e-1\ndata: {\"a\":1}\n\n"},
		{"error", "", `{}`, "event: error\ndata: {}\n\n"},
		{"x", "", "a\rb\nc\r\nd\n\r", "event: x\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: \n\n"},
	} {
		if got := string(appendEvent(nil, c.kind, []byte(c.id), []byte(c.data))); got != c.want {
			t.Errorf("%q was written as %q, want %q", c.data, got, c.want)
		}
	}
}

func TestEvent_OfAnEndSaysWhenToComeBack(t *testing.T) {
	for code, want := range map[wire.CloseCode]string{
		1012: "retry: 1234\n\nevent: closed\ndata: {\"type\":\"closed\",\"code\":1012,\"reason\":\"restart retry=1234\"}\n\n",
		4009: "retry: 86400000\n\nevent: closed\ndata: {\"type\":\"closed\",\"code\":4009,\"reason\":\"why\"}\n\n",
		1008: "retry: 86400000\n\nevent: closed\ndata: {\"type\":\"closed\",\"code\":1008,\"reason\":\"why\"}\n\n",
		4001: "event: closed\ndata: {\"type\":\"closed\",\"code\":4001,\"reason\":\"why\"}\n\n",
		4008: "event: closed\ndata: {\"type\":\"closed\",\"code\":4008,\"reason\":\"why\"}\n\n",
	} {
		why := &session.End{Code: code, Reason: "why"}
		if code == wire.CloseRestart {
			why.Reason = restartReason + "1234"
		}
		if got := string(appendClosed(nil, why)); got != want {
			t.Errorf("%d: %q, want %q", code, got, want)
		}
	}
}

// FuzzEvent writes an event with any data and reads it back: one event, with
// its lines, and nothing of the data taken for a field.
func FuzzEvent(f *testing.F) {
	for _, s := range []string{`{"a":1}`, "a\nb", "a\rid: x\r\revent: y", "\r\n\r\n", "\n", "\r", "", "\ufeffdata: x", ":", "x\r\n"} {
		f.Add([]byte(s), "a:e-1,b:e-2")
	}
	f.Fuzz(func(t *testing.T, data []byte, id string) {
		id = strings.Map(func(r rune) rune {
			if strings.ContainsRune("\r\n\x00", r) {
				return -1
			}
			return r
		}, id)
		id = strings.TrimPrefix(id, " ")
		var p parser
		p.feed(appendEvent(nil, "message", []byte(id), data))
		if len(p.line) > 0 || len(p.events) != 1 {
			t.Fatalf("%q became %+v", data, p)
		}
		if got := p.events[0]; got.kind != "message" || got.id != id || got.data != string(lines(data)) {
			t.Errorf("%q became %+v", data, got)
		}
		if oneLine(data) != !bytes.ContainsAny(data, "\r\n") {
			t.Errorf("%q is taken for one line", data)
		}
	})
}
