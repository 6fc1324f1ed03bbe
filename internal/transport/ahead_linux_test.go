package transport

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"holdfast.dev/holdfast/internal/wire"
)

// TestResume_FromAPlaceThatTheLoopHasYetToGetTo connects while a batch is
// under way, from a message that stands behind it: elsewhere it was seen. The
// client must not see it again, and must not miss what follows, whether that
// comes in the same batch or later, also when it asks once more where it is.
func TestResume_FromAPlaceThatTheLoopHasYetToGetTo(t *testing.T) {
	for _, events := range []bool{false, true} {
		for later := range 3 {
			t.Run(fmt.Sprintf("events=%v/%d", events, later), func(t *testing.T) {
				b := newBench(t, maxWrites+10, nil)
				b.tell(wire.Broadcast, "1")
				b.runJobs()
				b.offer() // to some
				r, _ := b.Hub.Publish(t.Context(), wire.Publication{Channel: wire.Broadcast, Data: []byte("2")})
				for i := range later {
					b.tell(wire.Broadcast, fmt.Sprint(3+i))
				}
				pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
				if err != nil {
					t.Fatal(err)
				}
				b.far = append(b.far, pair[1])
				b.gate.open++
				b.admit(&arrival{fd: int32(pair[0]), events: events, wants: []wire.Wanted{{Channel: wire.Broadcast, Since: r.ID}}})
				if !events {
					writeAllQ(b, pair[1], `{"type":"subscribe","channel":"broadcast"}`)
				}
				got := string(drainFD(b, pair[1]))
				for i := range 3 {
					b.tell(wire.Broadcast, fmt.Sprint(3+later+i))
				}
				for b.step(); b.feeds.len() > 0; {
					b.step()
				}
				got += string(drainFD(b, pair[1]))
				if want := `"subscribed","channel":"broadcast","id":"` + r.ID.String() + `"`; !strings.Contains(got, want) {
					t.Errorf("%q is not among %q", want, got)
				}
				var data []string
				for _, m := range regexp.MustCompile(`"data":(\d+)`).FindAllStringSubmatch(got, -1) {
					data = append(data, m[1])
				}
				want := []string{"3", "4", "5", "6", "7"}[:later+3]
				if !slices.Equal(data, want) {
					t.Errorf("got %v, want %v", data, want)
				}
				if first := regexp.MustCompile(`id: (\S+)`).FindStringSubmatch(got); events && first[1] != r.ID.String() {
					t.Errorf("its place is said to be %s, want %v", first[1], r.ID)
				}
				b.hangUp(pair[1])
				if len(b.ahead) > 0 {
					t.Errorf("%d are still noted", len(b.ahead))
				}
			})
		}
	}
}

// TestResume_WhoIsAheadAndLeavesIsForgotten ends a client that is noted.
func TestResume_WhoIsAheadAndLeavesIsForgotten(t *testing.T) {
	b := newBench(t, 0, nil)
	b.tell("news", "1")
	first := b.listen(t, []string{"news"}, "")
	var top wire.ID
	for i := 0; top.Seq < 5; i++ { // other channels count on
		r, _ := b.Hub.Publish(t.Context(), wire.Publication{Channel: fmt.Sprint("other", i), Data: []byte("1")})
		if p, _ := b.Hub.History("news", wire.ID{}, 1, 1000); p.Next.Seq > 1 {
			top = p.Next
		}
		_ = r
	}
	second := b.listen(t, []string{"news"}, "news:"+top.String())
	if len(b.ahead) != 1 {
		t.Fatalf("%d feeds have somebody ahead", len(b.ahead))
	}
	b.hangUp(second)
	if len(b.ahead) != 0 {
		t.Error("who left is still noted")
	}
	b.hangUp(first)
}
