package session_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// withToken begins a session whose token allows room-* and holds for so long.
func withToken(t *testing.T, holds time.Duration) *wireless {
	t.Helper()
	w := prepare(t)
	w.policy.Anonymous = []wire.Pattern{"open-*"}
	w.policy.Verify = func(_ context.Context, token string) (*session.Grant, error) {
		user, channel, ok := strings.Cut(token, " ")
		if !ok {
			return nil, wire.Errorf(wire.Unauthorized, "no good")
		}
		return &session.Grant{User: user, Channels: []wire.Pattern{wire.Pattern(channel)}, Expires: w.now.Add(time.Hour)}, nil
	}
	w.s.Grant = &session.Grant{User: "ann", Channels: []wire.Pattern{"room-*"}, Publish: []wire.Pattern{"room-1"}, Expires: w.now.Add(holds)}
	w.s.Start(w.now, w.policy, w, nil)
	return w
}

func TestGrant_SaysWhatASessionMayDo(t *testing.T) {
	for text, want := range map[string]string{
		`{"type":"subscribe","channel":"room-7"}`:            `"subscribed"`,
		`{"type":"subscribe","channel":"open-7"}`:            `"subscribed"`,
		`{"type":"subscribe","channel":"user:ann"}`:          `"subscribed"`,
		`{"type":"subscribe","channel":"user:bob"}`:          `"forbidden"`,
		`{"type":"subscribe","channel":"other"}`:             `"forbidden"`,
		`{"type":"history","channel":"other"}`:               `"forbidden"`,
		`{"type":"presence","channel":"other"}`:              `"forbidden"`,
		`{"type":"unsubscribe","channel":"user:ann"}`:        `"forbidden"`,
		`{"type":"publish","channel":"room-1","data":1}`:     `"published"`,
		`{"type":"publish","channel":"room-2","data":1}`:     `"forbidden"`,
		`{"type":"publish","channel":"user:ann","data":1}`:   `"forbidden"`,
		`{"type":"subscribe","channel":"a","presence":true}`: `"forbidden"`,
	} {
		if got := withToken(t, time.Hour).say(t, text); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	if got := withToken(t, time.Hour).sent[0]; !strings.Contains(got, `"user":"ann"`) || !strings.Contains(got, `"expires_in_s":3600`) {
		t.Errorf("greeted with %s", got)
	}
}

func TestToken_IsAskedForAheadAndEndsTheSession(t *testing.T) {
	w := withToken(t, 5*time.Minute)
	at := func(after time.Duration) (time.Duration, *session.End) { return w.s.Tick(w.now.Add(after), w) }
	w.sent = nil
	if next, end := at(0); next != 5*time.Minute-30*time.Second || end != nil || len(w.sent) > 0 {
		t.Fatalf("at first: next %v, %v, sent %q", next, end, w.sent)
	}
	for range 2 {
		if next, end := at(4*time.Minute + 40*time.Second); next != 20*time.Second || end != nil {
			t.Fatalf("ahead of the end: next %v, %v", next, end)
		}
	}
	if len(w.sent) != 1 || w.sent[0] != `text {"type":"refresh","expires_in_s":20}` {
		t.Fatalf("asked with %q", w.sent)
	}
	if _, end := at(5 * time.Minute); end == nil || end.Code != wire.CloseToken {
		t.Fatalf("at the end: %v", end)
	}
}

func TestToken_TakenLateHoldsForTheLeeway(t *testing.T) {
	w := withToken(t, -10*time.Second)
	if next, end := w.s.Tick(w.now, w); end != nil || next != 20*time.Second {
		t.Errorf("next %v, %v", next, end)
	}
	if _, end := w.s.Tick(w.now.Add(21*time.Second), w); end == nil {
		t.Error("it never ends")
	}
}

func TestRefresh_RenewsInPlace(t *testing.T) {
	w := withToken(t, 20*time.Second)
	w.say(t, `{"type":"subscribe","channels":[{"channel":"room-1"},{"channel":"open-1"},{"channel":"room-2"}]}`)
	if got := w.say(t, `{"type":"refresh","token":"bad","request":1}`); !strings.Contains(got, `"unauthorized"`) || !strings.Contains(got, `"request":1`) {
		t.Errorf("a bad one: %s", got)
	}
	if got := w.say(t, `{"type":"refresh","token":"bob room-*"}`); !strings.Contains(got, `"forbidden"`) {
		t.Errorf("another user's: %s", got)
	}
	if got := w.say(t, `{"type":"refresh"}`); !strings.Contains(got, `"bad_request"`) {
		t.Errorf("none: %s", got)
	}
	got := w.say(t, `{"type":"refresh","token":"ann room-2","request":2}`)
	if !strings.HasPrefix(got, `text {"type":"refreshed","expires_in_s":3600,"request":2}`) ||
		!strings.Contains(got, `{"type":"unsubscribed","channel":"room-1","reason":"forbidden"}`) || strings.Count(got, "unsubscribed") != 1 {
		t.Errorf("renewed: %s", got)
	}
	if next, end := w.s.Tick(w.now, w); end != nil || next < 50*time.Minute {
		t.Errorf("after it: next %v, %v", next, end)
	}
	if got := begin(t).say(t, `{"type":"refresh","token":"ann x"}`); !strings.Contains(got, `"bad_request"`) {
		t.Errorf("without a token: %s", got)
	}
}

func TestToken_RevokedOnItsWayIsNoticed(t *testing.T) {
	w := withToken(t, time.Hour)
	if end := w.s.Check(w.policy); end != nil {
		t.Fatalf("ends with %v", end)
	}
	w.policy.Revoked = func(g *session.Grant) bool { return g.User == "ann" }
	if end := w.s.Check(w.policy); end == nil || end.Code != wire.CloseToken {
		t.Errorf("a session whose token was revoked: %v", end)
	}
	if got := w.say(t, `{"type":"refresh","token":"ann room-*"}`); !strings.Contains(got, `"unauthorized"`) {
		t.Errorf("refreshed with a revoked one: %s", got)
	}
	if end := begin(t).s.Check(w.policy); end != nil {
		t.Errorf("a session without a token ends with %v", end)
	}
}

// everywhere has presence in room-* and notes who comes and goes.
type everywhere struct{ log []string }

func (e *everywhere) Covers(channel string) bool { return strings.HasPrefix(channel, "room-") }

func (e *everywhere) Join(channel, user string, id session.ID) {
	e.log = append(e.log, "+"+channel+" "+user)
}

func (e *everywhere) Leave(channel, user string, id session.ID) {
	e.log = append(e.log, "-"+channel+" "+user)
}

func (e *everywhere) Members(string, int) ([]wire.Member, int) {
	return []wire.Member{{User: "a\"b", Sessions: 2}}, 5
}

func TestPresence_FollowsSubscriptions(t *testing.T) {
	w := withToken(t, time.Hour)
	var e everywhere
	w.policy.Presence = &e
	w.say(t, `{"type":"subscribe","channel":"room-1","presence":true}`)
	w.say(t, `{"type":"subscribe","channel":"room-1","presence":true}`)
	w.say(t, `{"type":"subscribe","channel":"open-1"}`)
	if n := w.s.Info().Subscriptions; n != 2 {
		t.Errorf("%d subscriptions are shown, want 2", n)
	}
	if got := w.say(t, `{"type":"subscribe","channel":"open-2","presence":true}`); !strings.Contains(got, `"bad_request"`) {
		t.Errorf("presence where there is none: %s", got)
	}
	if got := w.say(t, `{"type":"presence","channel":"room-1","request":3}`); got != `text {"type":"members","channel":"room-1","members":[{"user":"a\"b","sessions":2}],"total":5,"request":3}` {
		t.Errorf("members: %s", got)
	}
	w.say(t, `{"type":"unsubscribe","channel":"room-1"}`)
	w.say(t, `{"type":"subscribe","channel":"room-2"}`)
	w.s.Leave(w.policy, w)
	if got := strings.Join(e.log, ", "); got != "+room-1 ann, -room-1 ann, +room-2 ann, -room-2 ann" {
		t.Errorf("noted %s", got)
	}
	if w.hub.Count() != 0 {
		t.Errorf("%d channels are left", w.hub.Count())
	}
}

func TestHistory_OfAnEmptyChannelSaysWhereItIs(t *testing.T) {
	got := begin(t).say(t, `{"type":"history","channel":"news","request":1}`)
	if !strings.HasPrefix(got, `text {"type":"history","channel":"news","messages":[],"complete":true,"next":"`) {
		t.Errorf("got %s", got)
	}
}

func TestSession_TellsOfTheGapAfterSubscribed(t *testing.T) {
	got := begin(t).say(t, `{"type":"subscribe","channel":"news","since":"abc-1","request":1}`)
	if want := `text {"type":"subscribed","channel":"news","id":"e-7","recovered":false,"replayed":3,"request":1}` + "\n" +
		`text {"type":"gap","channel":"news","after":"abc-1","reason":"expired"}`; got != want {
		t.Errorf("got %s", got)
	}
}
