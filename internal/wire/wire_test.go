package wire

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"
)

func TestFrames_StandOnTheWireAsTheyAlwaysDid(t *testing.T) {
	id := ID{"k3v9qd2x", 41}
	at := time.Date(2026, 11, 23, 14, 2, 11, 5_999_999, time.FixedZone("", 3600))
	mark := []byte(`"r1"`)
	for want, got := range map[string][]byte{
		`{"type":"message","channel":"news","id":"k3v9qd2x-41","time":"2026-11-23T13:02:11.005Z","event":"tick","data":{"a":1}}`: AppendMessage(nil, "news", id, at, "tick", []byte(`{"a":1}`)),
		`{"type":"message","channel":"news","id":"k3v9qd2x-41","time":"2026-11-23T13:02:11.005Z","data":null}`:                   AppendMessage(nil, "news", id, at, "", []byte(`null`)),
		`{"type":"welcome","session":"00ff","node":"n\"1","version":"1","user":"ann","heartbeat_s":25}`:                          Welcome{"00ff", `n"1`, "1", "ann", 25 * time.Second, 0}.Append(nil),
		`{"type":"welcome","session":"00ff","node":"n","version":"1","heartbeat_s":1.5,"expires_in_s":60}`:                       Welcome{"00ff", "n", "1", "", 1500 * time.Millisecond, time.Minute}.Append(nil),
		`{"type":"subscribed","channel":"news","id":"k3v9qd2x-41","request":"r1"}`:                                               AppendSubscribed(nil, "news", id, nil, mark),
		`{"type":"unsubscribed","channel":"news"}`:                                                                               AppendUnsubscribed(nil, "news", "", nil),
		`{"type":"unsubscribed","channel":"news","reason":"gone","request":"r1"}`:                                                AppendUnsubscribed(nil, "news", "gone", mark),
		`{"type":"published","channel":"news","id":"k3v9qd2x-41"}`:                                                               AppendPublished(nil, "news", id, nil),
		`{"type":"pong","request":7}`: AppendPong(nil, []byte("7")),
		`{"type":"error","code":"bad_json","message":"a \"b\"\n\u001b","request":"r1"}`: AppendError(nil, BadJSON, "a \"b\"\n\x1b", mark),
	} {
		if string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if !json.Valid(got) {
			t.Errorf("not JSON: %s", got)
		}
	}
}

func TestParseID_TakesOnlyWhatStringWrites(t *testing.T) {
	for _, id := range []ID{{"a", 0}, {NewEpoch(), 1<<64 - 1}} {
		if got, err := ParseID(id.String()); err != nil || got != id {
			t.Errorf("%v came back as %v, %v", id, got, err)
		}
	}
	for _, s := range []string{"", "-", "a", "a-", "-1", "a-01", "a--1", "a-+1", "A-1", "a b-1", "a-1-2", strings.Repeat("a", 33) + "-1", "a-18446744073709551616"} {
		if id, err := ParseID(s); err == nil {
			t.Errorf("%q was taken as %v", s, id)
		}
	}
}

func TestNames_FollowTheirGrammar(t *testing.T) {
	for _, name := range []string{"a", "user:ann", "A-Z_0.9:@=", strings.Repeat("x", 200), "..."} {
		if err := CheckChannel(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", ".", "..", "a b", "a/b", "é", "a\n", "a*", strings.Repeat("x", 201), "a\x00"} {
		if CheckChannel(name) == nil {
			t.Errorf("%q was taken as a channel name", name)
		}
	}
	for name, fine := range map[string]bool{"": true, "tick.v1:a_b-c": true, "a@b": false, "a=b": false, strings.Repeat("x", 65): false, "a b": false} {
		if (CheckEvent(name) == nil) != fine {
			t.Errorf("event %q: %v", name, CheckEvent(name))
		}
	}
	for key, fine := range map[string]bool{"": true, "a b~": true, "\x7f": false, "é": false, strings.Repeat("k", 257): false} {
		if (CheckKey(key) == nil) != fine {
			t.Errorf("key %q: %v", key, CheckKey(key))
		}
	}
	if got := Quote("a\x1b\u202e\n" + strings.Repeat("x", 100)); strings.ContainsAny(got, "\x1b\u202e\n") || len(got) > 100 {
		t.Errorf("%q is not safe to print", got)
	}
	if !Pattern("chat-*").Match("chat-1") || Pattern("chat-*").Match("cha") || Pattern("chat").Match("chat1") || !Pattern("*").Match("x") {
		t.Error("patterns match wrongly")
	}
}

func TestParseRequest_IsStrictAboutKeysAndLenientAboutOthers(t *testing.T) {
	r, err := ParseRequest([]byte(`{"later":[1],"type":"subscribe","channels":[{"channel":"a","since":null},{"channel":"b"}],"request":"x","Type":"ping"}`))
	if err != nil || r.Type != "subscribe" || len(r.Channels) != 2 || r.Channels[0].Channel != "a" || r.Channels[1].Channel != "b" || string(r.Request) != `"x"` {
		t.Errorf("got %+v, %v", r, err)
	}
	for text, want := range map[string]string{
		`{"type":"ping","type":"ping"}`:     `"type" stands twice`,
		`{"request":1,"channel":"a"}`:       `"type" is missing`,
		`{"type":7}`:                        `"type" must be a string`,
		`{"type":"ping","request":{"a":1}}`: `"request" must be`,
		`{"type":"subscribe","channels":1}`: `"channels" must be a list`,
		`[]`:                                "expected an object",
		`{"type":"ping"} x`:                 "something stands behind",
	} {
		if _, err := ParseRequest([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if r, err := ParseRequest([]byte(`{"type":7,"request":42}`)); err == nil || string(r.Request) != "42" {
		t.Errorf("the mark behind a fault was lost: %+v, %v", r, err)
	}
}

func TestParsePublication_KeepsDataAsItStands(t *testing.T) {
	p, err := ParsePublication([]byte(`{"data": {"b" : 1.0e5, "a":"x y\u00e9"} ,"channel":"news","event":"e","key":"k 1"}`))
	if err != nil || string(p.Data) != `{"b":1.0e5,"a":"x y\u00e9"}` || p.Channel != "news" || p.Event != "e" || p.Key != "k 1" {
		t.Errorf("got %+v %s, %v", p, p.Data, err)
	}
	for _, text := range []string{`{"channel":"a"}`, `{"data":1}`, `{"channel":"a b","data":1}`, `{"channel":"a","data":1,"data":2}`, `{"channel":"a","data":1,"event":"?"}`} {
		if _, err := ParsePublication([]byte(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestParseRequest_ReadsPlaces(t *testing.T) {
	r, err := ParseRequest([]byte(`{"type":"subscribe","channels":[{"channel":"a","since":"abc-7","presence":true},{"channel":"b","since":null}]}`))
	want := []Wanted{{Channel: "a", Since: ID{"abc", 7}, Presence: true}, {Channel: "b"}}
	if err != nil || len(r.Channels) != 2 || r.Channels[0] != want[0] || r.Channels[1] != want[1] {
		t.Errorf("got %+v, %v", r, err)
	}
	for _, text := range []string{
		`{"type":"subscribe","channel":"a","since":"x"}`,
		`{"type":"subscribe","channel":"a","since":7}`,
		`{"type":"subscribe","channel":"a","presence":"yes"}`,
		`{"type":"subscribe","channels":[{"channel":"a","since":"A-1"}]}`,
		`{"type":"subscribe","channels":[{"channel":"a","channel":"b"}]}`,
		`{"type":"history","channel":"a","limit":0}`,
		`{"type":"history","channel":"a","limit":"9"}`,
		`{"type":"history","channel":"a","limit":1001}`,
	} {
		if _, err := ParseRequest([]byte(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestParseSince_GivesEachChannelItsPlace(t *testing.T) {
	a := ID{"abc", 7}
	for _, c := range []struct {
		since string
		names []string
		want  map[string]ID
	}{
		{"abc-7", nil, map[string]ID{Broadcast: a}},
		{"abc-7", []string{"x"}, map[string]ID{"x": a}},
		{"abc-7", []string{"x", "y"}, nil},
		{"x:abc-7,user:ann:abc-7,broadcast:abc-7", []string{"x"}, map[string]ID{"x": a, "user:ann": a, Broadcast: a}},
		{"user:bob:abc-7", []string{"x"}, nil},
		{"y:abc-7", []string{"x"}, nil},
		{"x:abc-7,x:abc-8", []string{"x"}, nil},
		{"x:abc-7,", []string{"x"}, nil},
		{"", nil, nil},
		{"x:", []string{"x"}, nil},
		{"abc-07", nil, nil},
	} {
		got, err := ParseSince(c.since, c.names, "ann")
		if (err == nil) != (c.want != nil) || !maps.Equal(got, c.want) {
			t.Errorf("%q for %v: got %v, %v", c.since, c.names, got, err)
		}
	}
}

func FuzzParseSince(f *testing.F) {
	f.Add("abc-7")
	f.Add("x:abc-7,broadcast:abc-8")
	f.Fuzz(func(t *testing.T, s string) {
		places, err := ParseSince(s, []string{"x", "y"}, "ann")
		if err == nil && len(places) == 0 {
			t.Errorf("%q names no place", s)
		}
	})
}
