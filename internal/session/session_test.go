package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// wireless is a carrier without a wire: it notes what the session sends.
type wireless struct {
	hub    *hub.Hub
	s      *session.Session
	policy *session.Policy
	now    time.Time
	sent   []string
}

func (w *wireless) Send(op ws.Opcode, payload []byte) {
	w.sent = append(w.sent, fmt.Sprintf("%v %s", op, payload))
}

func (w *wireless) Join(channel string) (session.Subscription, wire.ID) {
	f := w.hub.Join(channel, nil)
	return session.Subscription{Feed: f, Index: f.Members.Add(0)}, wire.ID{Epoch: "e", Seq: 7}
}

func (w *wireless) Open() bool { return true }

func (w *wireless) Reached(int) wire.ID { return wire.ID{Epoch: "e", Seq: 7} }

func (w *wireless) Resume(int, wire.ID, wire.ID) (hub.Replay, error) {
	return hub.Replay{Gap: wire.GapExpired, Messages: 3}, nil
}

func (w *wireless) Reply() func(func(*session.Session, session.Carrier)) {
	return func(hand func(*session.Session, session.Carrier)) { hand(w.s, w) }
}

func (w *wireless) Await() {}

func (w *wireless) Later(work func(context.Context) func(*session.Session, session.Carrier)) {
	w.Reply()(work(context.Background()))
}

func (w *wireless) Leave(i int) {
	sub := w.s.Subscriptions[i]
	sub.Feed.Members.Remove(sub.Index, nil)
	w.hub.Leave(sub.Feed)
}

func begin(t *testing.T, channels ...string) *wireless {
	t.Helper()
	w := prepare(t)
	var wants []wire.Wanted
	for _, name := range channels {
		wants = append(wants, wire.Wanted{Channel: name})
	}
	w.s.Start(w.now, w.policy, w, wants)
	return w
}

// prepare makes a session that has yet to start.
func prepare(t *testing.T) *wireless {
	t.Helper()
	h := hub.New()
	h.Use(memory.New(h), nil)
	w := &wireless{hub: h, s: &session.Session{ID: 0xab}, now: time.Unix(1e9, 0)}
	w.policy = &session.Policy{
		Node: "n", Version: "1", Heartbeat: 25 * time.Second, MaxFrame: 1 << 10, MaxSubscriptions: 3,
		FramesPerSecond: 10, FrameBurst: 20, ClientPublish: []wire.Pattern{"open-*"},
		Anonymous: []wire.Pattern{"*"}, MaxPage: 1 << 20, Hub: h,
	}
	return w
}

// say feeds one text frame and returns what came back.
func (w *wireless) say(t *testing.T, text string) string {
	t.Helper()
	w.now = w.now.Add(time.Second)
	w.sent = nil
	if err := w.frame(ws.Text, text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return strings.Join(w.sent, "\n")
}

func (w *wireless) frame(op ws.Opcode, payload string) error {
	_, err := w.s.Receive(ws.AppendMasked(nil, op, [4]byte{1, 2, 3, 4}, []byte(payload)), w.now, w.policy, w)
	return err
}

func TestSession_WelcomesBeforeAnythingElse(t *testing.T) {
	w := begin(t, "news")
	want := []string{
		`text {"type":"welcome","session":"00000000000000ab","node":"n","version":"1","heartbeat_s":25}`,
		`text {"type":"subscribed","channel":"news","id":"e-7"}`,
	}
	if !slices.Equal(w.sent, want) {
		t.Errorf("got %q", w.sent)
	}
	if got := w.hub.Subscribers(wire.Broadcast); got != 1 {
		t.Errorf("%d subscribers of broadcast", got)
	}
}

func TestSession_AnswersEachFrame(t *testing.T) {
	for text, want := range map[string]string{
		`{"type":"ping","request":1}`:                                              `{"type":"pong","request":1}`,
		`{"type":"subscribe","channel":"a","request":"x"}`:                         `{"type":"subscribed","channel":"a","id":"e-7","request":"x"}`,
		`{"type":"subscribe","channel":"news"}`:                                    `{"type":"subscribed","channel":"news","id":"e-7"}`,
		`{"type":"subscribe","channels":[{"channel":"a"},{"channel":"b"}]}`:        `"channel":"b"`,
		`{"type":"subscribe","channel":"a","channels":[{"channel":"b"}]}`:          `"bad_request"`,
		`{"type":"subscribe","channel":"a b"}`:                                     `"bad_channel"`,
		`{"type":"subscribe","channel":"user:ann"}`:                                `"forbidden"`,
		`{"type":"unsubscribe","channel":"news","request":2}`:                      `{"type":"unsubscribed","channel":"news","request":2}`,
		`{"type":"unsubscribe","channel":"a"}`:                                     `"not_found"`,
		`{"type":"unsubscribe","channel":"broadcast"}`:                             `"forbidden"`,
		`{"type":"publish","channel":"open-1","data":{"a": 1},"request":3}`:        `{"type":"published","channel":"open-1"`,
		`{"type":"publish","channel":"shut","data":1,"request":4}`:                 `"forbidden"`,
		`{"type":"publish","channel":"open-1"}`:                                    `"data\" is missing`,
		`{"type":"publish","channel":"open-1","data":1,"event":"no good"}`:         `"bad_request"`,
		`{"type":"warp","request":5}`:                                              `"unknown_type"`,
		`{"request":6}`:                                                            `"request":6`,
		`{"type":"ping",}`:                                                         `"bad_json"`,
		`{"type":"publish","channel":"open-1","data":` + strings.Repeat("[", 200):  `"bad_json"`,
		"{\"type\":\"warp\u202e\x7f\"}":                                            `"unknown_type"`,
		`{"type":"subscribe","channels":[` + strings.Repeat(`{"channel":"q"},`, 3): `"bad_json"`,
	} {
		w := begin(t, "news")
		got := w.say(t, text)
		if !strings.Contains(got, want) {
			t.Errorf("%.60s: got %s, want %s", text, got, want)
		}
		for _, line := range w.sent {
			if frame := strings.TrimPrefix(line, "text "); !json.Valid([]byte(frame)) {
				t.Errorf("%.60s: answered %s", text, frame)
			}
		}
	}
}

func TestSession_SubscribesNoFurtherThanItsBound(t *testing.T) {
	w := begin(t)
	w.say(t, `{"type":"subscribe","channels":[{"channel":"a"},{"channel":"b"},{"channel":"c"}]}`)
	if got := w.say(t, `{"type":"subscribe","channel":"d"}`); !strings.Contains(got, "too_many_subscriptions") {
		t.Errorf("got %s", got)
	}
	if greeted := begin(t, "a", "b", "c", "d", "e"); !strings.Contains(greeted.sent[len(greeted.sent)-1], "too_many_subscriptions") {
		t.Errorf("the fourth channel of the query got %q", greeted.sent)
	}
	w.say(t, `{"type":"unsubscribe","channel":"b"}`)
	if got := w.say(t, `{"type":"subscribe","channel":"d"}`); !strings.Contains(got, `"subscribed"`) {
		t.Errorf("got %s", got)
	}
	w.s.Leave(w.policy, w)
	if n := w.hub.Count(); n != 0 {
		t.Errorf("%d channels are left after the session", n)
	}
}

func TestSession_EndsWithTheRightCode(t *testing.T) {
	for _, c := range []struct {
		op      ws.Opcode
		payload string
		want    wire.CloseCode
	}{
		{ws.Binary, "x", wire.CloseBinary},
		{ws.Text, "\xff", wire.CloseBadUTF8},
		{ws.Text, strings.Repeat("x", 1025), wire.CloseTooBig},
		{ws.Close, "", wire.CloseNormal},
		{ws.Close, "\x03\xe9bye", 1001},
		{ws.Close, "\x00", wire.CloseProtocol},
		{ws.Opcode(5), "", wire.CloseProtocol},
	} {
		err := begin(t).frame(c.op, c.payload)
		var end *session.End
		if !errors.As(err, &end) || end.Code != c.want {
			t.Errorf("%v %.10q: got %v, want %d", c.op, c.payload, err, c.want)
		}
	}
}

func TestSession_IsToldOfAFloodAndThenCutOff(t *testing.T) {
	w := begin(t)
	w.sent = nil
	frames := 0
	var err error
	for ; err == nil && frames < 1000; frames++ {
		err = w.frame(ws.Text, `{"type":"ping"}`)
	}
	var end *session.End
	if !errors.As(err, &end) || end.Code != wire.ClosePolicy {
		t.Fatalf("got %v", err)
	}
	if pongs := strings.Count(strings.Join(w.sent, "\n"), "pong"); pongs != 20 {
		t.Errorf("%d frames were carried out at once, want 20", pongs)
	}
	if frames > 150 {
		t.Errorf("cut off after %d frames", frames)
	}
	over := begin(t)
	for range 30 {
		_ = over.frame(ws.Text, `{"type":"ping"}`)
	}
	if err := over.frame(ws.Close, "\x03\xe8"); !errors.As(err, &end) || end.Code != wire.CloseNormal {
		t.Errorf("a close frame over the rate: %v", err)
	}
	calm := begin(t)
	for range 100 {
		calm.say(t, `{"type":"ping"}`) // one a second
	}
}

func TestID_ReadsWhatItWrites(t *testing.T) {
	for _, id := range []session.ID{0, 1, 1<<64 - 1} {
		if got, ok := session.ParseID(id.String()); !ok || got != id || len(id.String()) != 16 {
			t.Errorf("%v came back as %v", id, got)
		}
	}
	for _, s := range []string{"", "1", "000000000000000g", "00000000000000000", "00000000000000AB"} {
		if _, ok := session.ParseID(s); ok {
			t.Errorf("%q was taken", s)
		}
	}
}

func TestSession_CountsTheFramesThatItRefuses(t *testing.T) {
	w := begin(t)
	counted := make(map[wire.Code]int)
	w.policy.CountRefusal = func(code wire.Code) { counted[code]++ }
	for _, frame := range []string{`{`, `{"type":"ping"}`, `{"type":"dance"}`, `{"type":"subscribe","channels":[{"channel":"a"},{"channel":"b"},{"channel":"c"},{"channel":"d"}]}`, `{"type":"publish","channel":"shut","data":1}`} {
		w.say(t, frame)
	}
	for range 20 { // at once: one more than is left of the burst
		_ = w.frame(ws.Text, `{"type":"ping"}`)
	}
	want := map[wire.Code]int{wire.BadJSON: 1, wire.UnknownType: 1, wire.TooManySubs: 1, wire.Forbidden: 1, wire.TooManyRequests: 1}
	if !maps.Equal(counted, want) {
		t.Errorf("counted %v, want %v", counted, want)
	}
}
