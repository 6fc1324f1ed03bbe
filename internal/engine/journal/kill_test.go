//go:build unix

package journal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// childVariable makes this program publish to the journal that it names until
// it is killed, "async FOLDER" or "sync FOLDER", or open it: "peek FOLDER".
const childVariable = "HOLDFAST_TEST_JOURNAL_CHILD"

func TestMain(m *testing.M) {
	if job := os.Getenv(childVariable); job != "" {
		child(job)
		return
	}
	os.Exit(m.Run())
}

// child publishes and says what it was told: "A channel epoch seq data" when a
// message is acknowledged, "D …" when it is delivered.
func child(job string) {
	mode, dir, _ := strings.Cut(job, " ")
	d := Async
	if mode == "sync" {
		d = Sync
	}
	voice := &voice{out: os.Stdout}
	e, err := Open(Config{Dir: dir, Durability: d, Rules: fifty}, voice)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if mode == "peek" {
		fmt.Println("opened")
		return
	}
	go func() { _ = e.Run(context.Background()) }()
	for p := range 8 {
		go func() {
			r := rand.New(rand.NewPCG(uint64(os.Getpid()), uint64(p)))
			for n := 0; ; n++ {
				channel, text := fmt.Sprintf("c%d-%d", p, r.IntN(3)), fmt.Sprintf(`"%d/%d/%d"`, os.Getpid(), p, n)
				ack, err := e.Publish(context.Background(), wire.Publication{Channel: channel, Data: []byte(text)})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				voice.say("A", channel, ack.ID, text)
				if d == Async && r.IntN(20) == 0 {
					time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
				}
			}
		}()
	}
	select {}
}

// voice says lines that are whole even when the process is killed.
type voice struct {
	mu  sync.Mutex
	out io.Writer
}

func (v *voice) say(what, channel string, id wire.ID, text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	fmt.Fprintf(v.out, "%s %s %s %d %s\n", what, channel, id.Epoch, id.Seq, text)
}

func (v *voice) Deliver(m engine.Message) {
	text := string(m.Entry.JSON())
	text = text[strings.LastIndex(text, `"data":`)+len(`"data":`) : len(text)-1]
	v.say("D", m.Channel, m.ID(), text)
}
func (v *voice) Suspect([]string)    {}
func (v *voice) Listens(string) bool { return true }

// TestKill_UnderLoadLosesNothingThatWasPromised kills a process again and
// again while it publishes, and looks at what it left behind.
func TestKill_UnderLoadLosesNothingThatWasPromised(t *testing.T) {
	rounds := 15
	if testing.Short() {
		rounds = 3
	}
	for _, mode := range []string{"async", "sync"} {
		t.Run(mode, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seeded(t), 2))
			dir := folder(t)
			w := newWorld(t)
			for range rounds {
				w.life(dir, mode, 20+r.IntN(r.IntN(4000)+1))
				d := Async
				if mode == "sync" {
					d = Sync
				}
				e := open(t, Config{Dir: dir, Durability: d, Rules: fifty})
				w.check(e, mode == "sync")
				if err := e.Close(); err != nil {
					t.Fatal(err)
				}
			}
			total := 0
			for _, list := range w.channels {
				total += len(list)
			}
			t.Logf("%d messages over %d lives", total, rounds)
		})
	}
}

// life runs a child until it has said a number of things, kills it, and notes
// what it said.
func (w *world) life(dir, mode string, lines int) {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+mode+" "+dir)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	told := make(map[string]map[uint64]string)
	scanner := bufio.NewScanner(out)
	for n := 0; scanner.Scan(); n++ {
		if n == lines {
			_ = cmd.Process.Kill()
		}
		var what, channel, epoch, text string
		var seq uint64
		if k, _ := fmt.Sscan(scanner.Text(), &what, &channel, &epoch, &seq, &text); k != 5 || !strings.HasSuffix(text, `"`) {
			continue // cut off
		}
		if w.epoch == "" {
			w.epoch = epoch
		}
		if epoch != w.epoch {
			w.Fatalf("the epoch was %s and is %s", w.epoch, epoch)
		}
		if told[channel] == nil {
			told[channel] = make(map[uint64]string)
		}
		if before, again := told[channel][seq]; again && before != text {
			w.Fatalf("%s: seq %d is %s and %s", channel, seq, before, text)
		}
		told[channel][seq] = text
	}
	_ = cmd.Wait()
	if complaint.Len() > 0 {
		w.Fatal(complaint.String())
	}
	for channel, messages := range told {
		for _, seq := range slices.Sorted(maps.Keys(messages)) {
			w.note(channel, wire.ID{Epoch: w.epoch, Seq: seq}, messages[seq])
		}
	}
}
