package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// seeded returns the seed of a random test: that of HOLDFAST_SEED, or a new
// one, which it prints.
func seeded(t testing.TB) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("HOLDFAST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("replay with HOLDFAST_SEED=%d", seed)
	return seed
}

// world is what was published, as those who published it know.
type world struct {
	testing.TB
	epoch    string
	channels map[string][]posted
	checks   int
}

type posted struct {
	id   wire.ID
	data string
}

func newWorld(t testing.TB) *world {
	return &world{TB: t, channels: make(map[string][]posted)}
}

// note adds an acknowledged message.
func (w *world) note(channel string, id wire.ID, data string) {
	w.Helper()
	if w.epoch == "" {
		w.epoch = id.Epoch
	}
	if id.Epoch != w.epoch {
		w.Fatalf("the epoch was %s and is %s", w.epoch, id.Epoch)
	}
	list := w.channels[channel]
	if n := len(list); n > 0 && list[n-1].id.Seq >= id.Seq {
		w.Fatalf("%s: seq %d was given out after %d", channel, id.Seq, list[n-1].id.Seq)
	}
	w.channels[channel] = append(list, posted{id, data})
}

// submit publishes without waiting; what a later step tells is noted too.
func (w *world) submit(e *Engine, channel, data string) {
	w.Helper()
	ack, later, err := e.Submit(wire.Publication{Channel: channel, Data: []byte(data)}, func(ack engine.Ack, err error) {
		if err != nil {
			w.Errorf("publish to %s: %v", channel, err)
			return
		}
		w.note(channel, ack.ID, data)
	})
	switch {
	case err != nil:
		w.Fatalf("publish to %s: %v", channel, err)
	case !later:
		w.note(channel, ack.ID, data)
	}
}

// frame is what a client gets.
type frame struct {
	Type    string          `json:"type"`
	Channel string          `json:"channel"`
	ID      string          `json:"id"`
	Data    json.RawMessage `json:"data"`
}

// check resumes every channel from many places, others each time, and expects
// each message once, in order and as it was published, or to be told that
// some are missing.
// whole is whether none may be missing that was acknowledged.
func (w *world) check(e *Engine, whole bool) {
	w.Helper()
	w.checks++
	if w.epoch != "" && e.Epoch() != w.epoch {
		w.Fatalf("the epoch was %s and is %s", w.epoch, e.Epoch())
	}
	for channel, list := range w.channels {
		w.resume(e, channel, wire.ID{Epoch: w.epoch}, list, whole)
		for i, p := range list {
			if len(list)-i > 2 && (i+w.checks)%max(11, len(list)/6) != 0 {
				continue
			}
			w.resume(e, channel, p.id, list[i+1:], whole)
		}
	}
}

func (w *world) resume(e *Engine, channel string, since wire.ID, want []posted, whole bool) {
	w.Helper()
	page, err := e.Read(w.Context(), channel, since, 0)
	if err != nil {
		w.Fatal(err)
	}
	told := !page.Complete
	if whole && told && since.Seq > 0 && page.Count < fifty.Default.Messages {
		w.Fatalf("%s since %v: a gap (%s) is told, and nothing should be missing", channel, since, page.Gap)
	}
	last := since.Seq
	for entry := page.First; entry != nil; entry = entry.Next() {
		if entry.Seq <= last {
			w.Fatalf("%s since %v: %d after %d", channel, since, entry.Seq, last)
		}
		last = entry.Seq
		if entry.Kind == chanlog.Gap {
			if told = true; whole {
				w.Fatalf("%s since %v: a gap stands at %d, and nothing should be missing", channel, since, entry.Seq)
			}
			continue
		}
		f := w.frame(entry)
		if id := (wire.ID{Epoch: w.epoch, Seq: entry.Seq}); f.ID != id.String() || f.Channel != channel || f.Type != "message" {
			w.Fatalf("%s since %v: entry %d is %+v", channel, since, entry.Seq, f)
		}
		skipped := 0
		for len(want) > 0 && want[0].id.Seq < entry.Seq {
			want = want[1:]
			skipped++
		}
		if skipped > 0 && !told {
			w.Fatalf("%s since %v: %d messages before %d are missing, and nobody is told", channel, since, skipped, entry.Seq)
		}
		if len(want) > 0 && want[0].id.Seq == entry.Seq {
			if string(f.Data) != want[0].data {
				w.Fatalf("%s: message %d is %s, published was %s", channel, entry.Seq, f.Data, want[0].data)
			}
			want = want[1:]
		}
		told = false
		if entry == page.Last {
			break
		}
	}
	if len(want) > 0 && !told {
		w.Fatalf("%s since %v: the last %d messages are missing, and nobody is told", channel, since, len(want))
	}
	if whole && (len(want) > 0 || told && since.Seq != 0) {
		w.Fatalf("%s since %v: %d messages are missing (a gap is told: %v), and all should be there", channel, since, len(want), told)
	}
}

func (w *world) frame(e *chanlog.Entry) (f frame) {
	w.Helper()
	if err := json.Unmarshal(e.JSON(), &f); err != nil {
		w.Fatalf("entry %d holds %q: %v", e.Seq, e.JSON(), err)
	}
	return f
}

// open opens an engine on a folder and closes it when the test ends.
func open(t testing.TB, c Config) *Engine {
	t.Helper()
	e, err := Open(c, nobody{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// step writes one batch, as Run would, at a time of the test's choosing.
func (e *Engine) step(now time.Time) {
	e.work(now)
}

// copied returns a folder with a file of such bytes.
func copied(t testing.TB, content []byte) string {
	t.Helper()
	dir := folder(t)
	if err := os.WriteFile(filepath.Join(dir, fileName), content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func content(t testing.TB, e *Engine) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(e.dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// data returns some JSON, long now and then.
func data(r *rand.Rand, n int) string {
	long := r.IntN(200)
	if r.IntN(40) == 0 {
		long = r.IntN(20_000)
	}
	return fmt.Sprintf(`{"n":%d,"pad":"%s"}`, n, bytes.Repeat([]byte("x"), long))
}
