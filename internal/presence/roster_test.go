package presence

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// hall is a roster and what it told.
type hall struct {
	*Roster
	mu   sync.Mutex
	told []string
}

func open(t *testing.T, linger time.Duration) *hall {
	h := &hall{}
	h.Roster = New([]wire.Pattern{"room-*"}, linger, func(channel string, frame []byte) {
		var f struct{ Type, Channel, Action, User, Session string }
		if err := json.Unmarshal(frame, &f); err != nil || f.Type != "presence" || f.Channel != channel {
			t.Errorf("told %s in %s", frame, channel)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.told = append(h.told, fmt.Sprintf("%s %s %s", f.Channel, f.Action, f.User))
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = h.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return h
}

func (h *hall) heard() []string {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	told := h.told
	h.told = nil
	return told
}

func check(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestRoster_AReloadIsNoLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 10*time.Second)
		h.Join("room-1", "ann", 1)
		check(t, h.heard(), "room-1 join ann")
		h.Leave("room-1", "ann", 1)
		time.Sleep(9 * time.Second)
		h.Join("room-1", "ann", 2)
		time.Sleep(time.Minute)
		check(t, h.heard())
		if m, n := h.Members("room-1", 10); n != 1 || m[0] != (wire.Member{User: "ann", Sessions: 1}) {
			t.Errorf("%v of %d", m, n)
		}
		h.Leave("room-1", "ann", 2)
		if m, n := h.Members("room-1", 10); n != 1 || m[0].Sessions != 0 {
			t.Errorf("while she lingers: %v of %d", m, n)
		}
		time.Sleep(9 * time.Second)
		check(t, h.heard())
		time.Sleep(2 * time.Second)
		check(t, h.heard(), "room-1 leave ann")
		if _, n := h.Members("room-1", 10); n != 0 || h.Len() != 0 {
			t.Errorf("%d are left", n)
		}
	})
}

func TestRoster_AUserIsThereOnceForAllSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, time.Second)
		h.Join("room-1", "ann", 1)
		h.Join("room-1", "ann", 2)
		h.Join("room-1", "bob", 3)
		h.Join("room-1", "", 4)
		h.Join("room-1", "", 5)
		check(t, h.heard(), "room-1 join ann", "room-1 join bob", "room-1 join ", "room-1 join ")
		m, n := h.Members("room-1", 2)
		if n != 3 || !slices.Equal(m, []wire.Member{{Sessions: 2}, {User: "ann", Sessions: 2}}) {
			t.Errorf("%v of %d", m, n)
		}
		h.Leave("room-1", "ann", 1)
		h.Leave("room-1", "", 4)
		h.Leave("room-1", "", 4) // once more is no fault
		time.Sleep(time.Minute)
		check(t, h.heard(), "room-1 leave ")
	})
}

func TestRoster_WithoutLingerALeaveIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 0)
		h.Join("room-1", "ann", 1)
		h.Leave("room-1", "ann", 1)
		h.Join("room-1", "ann", 2)
		check(t, h.heard(), "room-1 join ann", "room-1 leave ann", "room-1 join ann")
	})
}

// TestRoster_AgreesWithItsEvents has users come and go at random: who was
// told to have come and not to have left is who is there.
func TestRoster_AgreesWithItsEvents(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(seed, 0))
		h := open(t, 3*time.Second)
		here := make(map[string]bool)
		in := make(map[session.ID]bool)
		for range 3000 {
			id := session.ID(1 + rng.IntN(12))
			user := fmt.Sprint("u", id%4)
			if in[id] {
				h.Leave("room-1", user, id)
			} else {
				h.Join("room-1", user, id)
			}
			in[id] = !in[id]
			time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond)
			for _, line := range h.heard() {
				var action, who string
				_, _ = fmt.Sscanf(line, "room-1 %s %s", &action, &who)
				if here[who] == (action == "join") {
					t.Fatalf("%s twice", line)
				}
				here[who] = action == "join"
			}
			members, _ := h.Members("room-1", 100)
			for _, m := range members {
				if !here[m.User] {
					t.Fatalf("%s is listed and never came", m.User)
				}
				sessions := 0
				for id, is := range in {
					if is && fmt.Sprint("u", id%4) == m.User {
						sessions++
					}
				}
				if sessions != m.Sessions {
					t.Fatalf("%s has %d sessions, listed %d", m.User, sessions, m.Sessions)
				}
			}
			there := 0
			for _, is := range here {
				if is {
					there++
				}
			}
			if there != len(members) {
				t.Fatalf("%d came and %d are listed", there, len(members))
			}
		}
	})
}

func TestRoster_CoversWhatItsPatternsName(t *testing.T) {
	h := New([]wire.Pattern{"room-*", "lobby"}, 0, nil)
	for channel, want := range map[string]bool{"room-1": true, "lobby": true, "lobby2": false, "news": false} {
		if h.Covers(channel) != want {
			t.Errorf("covers %s: %v", channel, !want)
		}
	}
}

// TestMembers_AreTheFirstByNameHoweverManyThereAre compares with a list that
// is sorted as a whole.
func TestMembers_AreTheFirstByNameHoweverManyThereAre(t *testing.T) {
	for _, n := range []int{0, 1, 5, 9, 10, 19, 20, 21, 500} {
		r := New([]wire.Pattern{"*"}, 0, func(string, []byte) {})
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("user-%03d", i*7919%1000))
			r.Join("room", names[i], session.ID(i+1))
		}
		r.Join("room", "", 7777)
		names = append(names, "")
		slices.Sort(names)
		for _, limit := range []int{1, 2, 10, 1000} {
			members, total := r.Members("room", limit)
			var got []string
			for _, m := range members {
				got = append(got, m.User)
			}
			if want := names[:min(limit, len(names))]; total != len(names) || !slices.Equal(got, want) {
				t.Fatalf("%d of %d: got %v of %d, want %v of %d", limit, n, got, total, want, len(names))
			}
		}
	}
}
