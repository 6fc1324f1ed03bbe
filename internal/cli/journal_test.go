package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/journal"
	"holdfast.dev/holdfast/internal/wire"
)

// nobody listens to an engine.
type nobody struct{}

func (nobody) Deliver(engine.Message) {}
func (nobody) Suspect([]string)       {}
func (nobody) Listens(string) bool    { return false }

// keptJournal makes a journal with some messages, which this process has
// open while inUse.
func keptJournal(t *testing.T, inUse func(dir string)) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	c := journal.Config{Dir: dir, Durability: journal.Sync}
	c.Rules.Default.Messages = 100
	e, err := journal.Open(c, nobody{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	for i := range 60 {
		p := wire.Publication{Channel: fmt.Sprint("channel-", i%5), Data: fmt.Appendf(nil, `"message %d%s"`, i, strings.Repeat("x", 1000*(i%5)))}
		if _, err := e.Publish(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if inUse != nil {
		inUse(dir)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// expect runs a command line and expects words of it.
func expect(t *testing.T, code int, words []string, args ...string) ran {
	t.Helper()
	got := runIn(t, nil, args...)
	if got.code != code {
		t.Errorf("%v: exit code %d, not %d\n%s%s", args, got.code, code, got.out, got.err)
	}
	for _, w := range words {
		if !strings.Contains(got.out+got.err, w) {
			t.Errorf("%v does not say %q:\n%s%s", args, w, got.out, got.err)
		}
	}
	return got
}

func TestJournal_IsLookedAtWhileAServerUsesIt(t *testing.T) {
	holder := fmt.Sprintf("process %d", os.Getpid())
	dir := keptJournal(t, func(dir string) {
		expect(t, 0, []string{"is sound", "60 messages of 5 channels", holder}, "journal", "check", dir)
		expect(t, 0, []string{"60, 123.9 KiB", holder, "12   ", "channel-4"}, "journal", "stats", dir)
		expect(t, 0, []string{"is sound"}, "journal", "check", "--repair", dir)
	})
	for _, args := range [][]string{{"check", dir}, {"stats", dir}} {
		if got := expect(t, 0, nil, append([]string{"journal"}, args...)...); strings.Contains(got.out, "in use") {
			t.Errorf("%v says that it is in use:\n%s", args, got.out)
		}
	}
	var stats struct {
		Epoch    string
		Messages int
		Top      []struct {
			Channel, ID string
			Messages    int
		}
	}
	got := expect(t, 0, nil, "journal", "stats", "--top", "2", "--json", dir)
	if err := json.Unmarshal([]byte(got.out), &stats); err != nil {
		t.Fatal(err)
	}
	if stats.Messages != 60 || len(stats.Top) != 2 || stats.Top[0].Channel != "channel-4" || stats.Top[0].Messages != 12 || !strings.HasPrefix(stats.Top[0].ID, stats.Epoch+"-") {
		t.Errorf("stats: %s", got.out)
	}
}

// TestJournal_IsRepaired damages a message, then the structure.
func TestJournal_IsRepaired(t *testing.T) {
	dir := keptJournal(t, nil)
	path := filepath.Join(dir, "journal.db")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(bytes.ReplaceAll(file, []byte("message 33xxx"), []byte("massage 33xxx")))
	got := expect(t, 1, []string{"damaged: a server leaves out what is, and starts", `channel "channel-3", seq `, "checksum", "--repair " + dir}, "journal", "check", dir)
	if got.err != "" {
		t.Errorf("on standard error: %s", got.err)
	}
	expect(t, 1, []string{`"sound":false`, `"channel":"channel-3"`}, "journal", "check", "--json", dir)
	expect(t, 0, []string{"59 messages of 5 channels", "journal.db.damaged"}, "journal", "check", "--repair", dir)
	expect(t, 0, []string{"is sound"}, "journal", "check", dir)

	// A page that is none: what stood there is missing, the rest is saved.
	refused, saved := 0, 0
	for at := 4096 * 4; at < len(file); at += 4096 {
		torn := bytes.Clone(file)
		clear(torn[at : at+4096])
		write(torn)
		found := runIn(t, nil, "journal", "check", dir)
		if found.code == 0 {
			continue // a page that was free
		}
		if strings.Contains(found.out, "a server refuses to start") {
			refused++
			expect(t, 1, []string{"damaged", "journal check " + dir}, "journal", "stats", dir)
		}
		got := runIn(t, nil, "journal", "check", "--repair", dir)
		if got.code == 0 {
			saved++
			expect(t, 0, []string{"is sound"}, "journal", "check", dir)
		} else if !strings.Contains(got.err, "or go on without it: mv "+path) {
			t.Errorf("page %d: exit code %d\n%s%s", at/4096, got.code, got.out, got.err)
		}
	}
	if refused < 5 || saved < 5 {
		t.Errorf("%d files were refused, %d were saved", refused, saved)
	}
}

func TestJournal_OfNoFolderIsExplained(t *testing.T) {
	dir := t.TempDir()
	expect(t, 2, []string{"there is no folder"}, "journal", "check", filepath.Join(dir, "none"))
	expect(t, 1, []string{"there is no journal in " + dir}, "journal", "stats", dir)
	expect(t, 2, []string{"wants one folder"}, "journal", "check")
	if err := os.WriteFile(filepath.Join(dir, "journal.db"), []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, 2, []string{"is no folder"}, "journal", "stats", filepath.Join(dir, "journal.db"))
	expect(t, 1, []string{"a server refuses to start", "neither of its two heads is valid"}, "journal", "check", dir)
}
