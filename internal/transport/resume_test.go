package transport

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// TestResume_FromEveryPlace connects with the place of each message, and with
// those between, and wants exactly what came later, then what comes next.
func TestResume_FromEveryPlace(t *testing.T) {
	n := start(t, false, nil)
	const messages = 40
	var ids []wire.ID
	for i := range messages {
		n.publish(t, fmt.Sprint("other", i), "0") // places between
		ids = append(ids, n.publish(t, "news", fmt.Sprint(i)).ID)
	}
	for i, id := range ids {
		for _, since := range []wire.ID{id, {Epoch: id.Epoch, Seq: id.Seq - 1}} {
			missed := messages - 1 - i
			if since != id {
				missed++
			}
			c := n.dial(t, "?channels=news&since="+since.String(), nil)
			f := read(t, c)
			if f.Type != "subscribed" || f.Recovered == nil || !*f.Recovered || f.Replayed != missed {
				t.Fatalf("since %v: %+v, want %d replayed", since, f, missed)
			}
			for k := messages - missed; k < messages; k++ {
				if f := read(t, c); f.Type != "message" || string(f.Data) != fmt.Sprint(k) {
					t.Fatalf("since %v: %s where %d was due", since, f.Data, k)
				}
			}
			if i%10 == 0 {
				next := n.publish(t, "live", "1").ID
				if f := request(t, c, `{"type":"subscribe","channel":"live","since":"`+next.String()+`"}`); f.Replayed != 0 || f.Recovered == nil || !*f.Recovered {
					t.Fatalf("at the newest place: %+v", f)
				}
				n.publish(t, "live", "2")
				if f := read(t, c); string(f.Data) != "2" {
					t.Fatalf("after the newest place: %+v", f)
				}
			}
			_ = c.CloseNow()
		}
	}
}

func TestResume_TellsWhatIsGone(t *testing.T) {
	n := start(t, false, nil)
	first := n.publish(t, "news", "0").ID
	for i := range 150 {
		n.publish(t, "news", fmt.Sprint(i+1))
	}
	for since, reason := range map[string]string{first.String(): "expired", "other-7": "restarted", first.Epoch + "-99999": "restarted"} {
		c := n.dial(t, "?channels=news&since="+since, nil)
		if f := read(t, c); f.Recovered == nil || *f.Recovered || f.Replayed != 100 {
			t.Errorf("since %s: %+v", since, f)
		}
		if f := read(t, c); f.Type != "gap" || f.Reason != reason || f.After != since {
			t.Errorf("since %s: %+v, want a gap", since, f)
		}
		if f := read(t, c); string(f.Data) != "51" {
			t.Errorf("since %s: began with %s", since, f.Data)
		}
	}
}

// TestResume_NothingFallsBetweenReplayAndLive has clients resume while
// messages are published as fast as they can be.
func TestResume_NothingFallsBetweenReplayAndLive(t *testing.T) {
	n := start(t, false, func(_ *session.Policy, l *Limits) { l.MaxLag = 64 << 20 })
	stop, stopped := make(chan struct{}), make(chan struct{})
	first := n.publish(t, "news", "0").ID
	go func() {
		defer close(stopped)
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
				n.publish(t, "news", fmt.Sprint(i))
			}
		}
	}()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	since, next := first.String(), 1
	for range 60 {
		c := n.dial(t, "?channels=news&since="+since, nil)
		for messages := 1 + rng.IntN(300); messages > 0; {
			switch f := read(t, c); f.Type {
			case "gap":
				next = -1
			case "message":
				var got int
				_, _ = fmt.Sscan(string(f.Data), &got)
				if next >= 0 && got != next {
					t.Fatalf("message %d where %d was due", got, next)
				}
				since, next = f.ID, got+1
				messages--
			}
		}
		_ = c.CloseNow()
	}
	close(stop)
	<-stopped
}

// TestResume_AnsweringAgainNamesTheSessionsOwnPlace subscribes again while
// much is due to the session and resumes from the answer: nothing may be
// missing from there on.
func TestResume_AnsweringAgainNamesTheSessionsOwnPlace(t *testing.T) {
	n := start(t, false, nil)
	c := n.dial(t, "?channels=news", nil)
	read(t, c)
	last := n.publish(t, "news", "1").ID
	if f := read(t, c); f.ID != last.String() {
		t.Fatalf("got %+v", f)
	}
	if f := request(t, c, `{"type":"subscribe","channel":"news","since":"x-1"}`); f.ID != last.String() || f.Recovered != nil {
		t.Errorf("subscribed again: %+v, want %v", f, last)
	}
}

func TestHistory_PagesThroughAChannel(t *testing.T) {
	n := start(t, false, func(p *session.Policy, _ *Limits) { p.MaxPage = 2000 })
	c := n.dial(t, "", nil)
	var ids []wire.ID
	for i := range 20 {
		ids = append(ids, n.publish(t, "news", `"`+strings.Repeat(fmt.Sprint(i%10), 300)+`"`).ID)
	}
	since, seen := ids[3], 4
	for seen < len(ids) {
		f := request(t, c, `{"type":"history","channel":"news","limit":7,"since":"`+since.String()+`"}`)
		if f.Type != "history" || len(f.Messages) == 0 || len(f.Messages) > 7 || f.Complete == nil || !*f.Complete {
			t.Fatalf("since %v: %+v", since, f)
		}
		for _, m := range f.Messages {
			if m.ID != ids[seen].String() || m.Type != "message" {
				t.Fatalf("message %+v where %v was due", m, ids[seen])
			}
			seen++
		}
		since, _ = wire.ParseID(f.Next)
	}
	if f := request(t, c, `{"type":"history","channel":"news","limit":2}`); len(f.Messages) != 2 || f.Messages[1].ID != ids[19].String() || f.Next != ids[19].String() {
		t.Errorf("newest two: %+v", f)
	}
	if f := request(t, c, `{"type":"history","channel":"news","limit":2,"since":"other-3"}`); f.Complete == nil || *f.Complete {
		t.Errorf("from another epoch: %+v", f)
	}
	if f := request(t, c, `{"type":"history","channel":"empty"}`); f.Messages == nil || len(f.Messages) != 0 {
		t.Errorf("of an empty channel: %+v", f)
	}
}
