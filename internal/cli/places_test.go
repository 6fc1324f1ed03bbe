package cli

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"holdfast.dev/holdfast/internal/wire"
)

var seed = flag.Uint64("seed", 0, "seed of random tests; 0: a new one")

// modelLog is one channel of a model of the server: messages with numbers
// that rise by one, the newest of which it holds.
type modelLog struct {
	name  string
	epoch string
	seq   uint64
	all   []modelMessage // of this epoch
	keep  int            // how many of them are held
	last  int            // the number of the last one, over all epochs
}

type modelMessage struct {
	id     wire.ID
	number int
}

func (l *modelLog) publish(r *rand.Rand) string {
	l.seq += 1 + uint64(r.IntN(3)) // seqs may have holes
	l.last++
	m := modelMessage{wire.ID{Epoch: l.epoch, Seq: l.seq}, l.last}
	l.all = append(l.all, m)
	return l.frame(m)
}

func (l *modelLog) frame(m modelMessage) string {
	return fmt.Sprintf(`{"type":"message","channel":%q,"id":%q,"data":%d}`, l.name, m.id, m.number)
}

// answer returns the frames that answer a subscribe.
func (l *modelLog) answer(since string) []string {
	live := wire.ID{Epoch: l.epoch, Seq: l.seq}
	if since == "" {
		return []string{fmt.Sprintf(`{"type":"subscribed","channel":%q,"id":%q}`, l.name, live)}
	}
	id, _ := wire.ParseID(since)
	gap, replay := "", []string(nil)
	if id.Epoch != l.epoch {
		gap, id = "restarted", wire.ID{}
	}
	for i, m := range l.all {
		switch held := i >= len(l.all)-l.keep; {
		case m.id.Seq <= id.Seq:
		case held:
			replay = append(replay, l.frame(m))
		case gap == "":
			gap = "expired"
		}
	}
	frames := []string{fmt.Sprintf(`{"type":"subscribed","channel":%q,"id":%q,"recovered":%t,"replayed":%d}`, l.name, live, gap == "", len(replay))}
	if gap != "" {
		frames = append(frames, fmt.Sprintf(`{"type":"gap","channel":%q,"after":%q,"reason":%q}`, l.name, since, gap))
	}
	return append(frames, replay...)
}

// witness checks what one channel's reader is shown: each message once, in
// order, and a gap wherever one is missing.
type witness struct {
	begun bool
	last  int  // the number of the last message that was shown or need not be
	told  bool // of a gap since
}

func (w *witness) shown(t *testing.T, l *modelLog, head frameHead) {
	t.Helper()
	switch head.Type {
	case "subscribed":
		if !w.begun {
			w.begun, w.last = true, l.last
		}
	case "gap":
		w.told = true
	case "message":
		var number int
		if err := json.Unmarshal(head.Data, &number); err != nil {
			t.Fatal(err)
		}
		if number <= w.last {
			t.Fatalf("%s: message %d was shown again after %d", l.name, number, w.last)
		}
		if number != w.last+1 && !w.told {
			t.Fatalf("%s: messages %d to %d are missing in silence", l.name, w.last+1, number-1)
		}
		w.last, w.told = number, false
	}
}

// TestPlaces_ShowEachMessageOnceInOrderOrAGap runs connections that break
// after any frame against a model of the server, which publishes, forgets and
// restarts meanwhile.
func TestPlaces_ShowEachMessageOnceInOrderOrAGap(t *testing.T) {
	base := *seed
	if base == 0 {
		base = rand.Uint64()
	}
	for run := range uint64(400) {
		if t.Failed() {
			return
		}
		t.Run("", func(t *testing.T) {
			playConnections(t, rand.New(rand.NewPCG(base, run)))
			if t.Failed() {
				t.Logf("again: go test ./internal/cli -run TestPlaces -seed %d", base)
			}
		})
	}
}

func playConnections(t *testing.T, r *rand.Rand) {
	logs := []*modelLog{{name: "a", epoch: "e0", keep: 1 + r.IntN(6)}, {name: "user:b", epoch: "e0", keep: r.IntN(4)}}
	seen := []*witness{{}, {}}
	at := places{}
	show := func(frame string) {
		var head frameHead
		if err := json.Unmarshal([]byte(frame), &head); err != nil {
			t.Fatal(err)
		}
		if i := map[string]int{"a": 0, "user:b": 1}[head.Channel]; at.see(head) {
			seen[i].shown(t, logs[i], head)
		}
	}
	for connection := range 30 {
		cut := r.IntN(12)
		whole := connection == 29
		for _, l := range logs {
			for _, frame := range l.answer(at.since(l.name)) {
				if cut--; cut < 0 && !whole {
					break
				}
				show(frame)
				if r.IntN(8) == 0 && frame[9] == 'm' {
					show(frame) // a server that repeats itself
				}
			}
		}
		for range r.IntN(10) {
			l := logs[r.IntN(2)]
			if frame := l.publish(r); cut > 0 || whole {
				cut--
				show(frame)
			}
		}
		if r.IntN(6) == 0 && !whole {
			for _, l := range logs {
				l.epoch, l.seq, l.all = fmt.Sprintf("e%d", connection+1), 0, nil
			}
		}
	}
	for i, l := range logs {
		if w := seen[i]; w.last != l.last && !w.told {
			t.Fatalf("%s: messages %d to %d are missing in silence at the end", l.name, w.last+1, l.last)
		}
	}
}
