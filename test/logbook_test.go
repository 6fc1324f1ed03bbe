//go:build linux

package test

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for anything that should happen at once.
// It is long because the machine may be busy with much else.
const patience = 30 * time.Second

// entry is one line of a server's log.
type entry struct {
	Msg     string
	Level   string
	Address string
	Outcome string
	Exit    *int

	raw string
}

// logbook is what a server has logged so far.
type logbook struct {
	mu      sync.Mutex
	entries []entry       // guarded by mu
	news    chan struct{} // closed at the next entry; guarded by mu
}

// follow takes down lines until r ends.
func (b *logbook) follow(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		e := entry{raw: lines.Text()}
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			e.Msg = e.raw
		}
		b.add(e)
	}
	_, _ = io.Copy(io.Discard, r)
}

func (b *logbook) add(e entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries = append(b.entries, e)
	if b.news != nil {
		close(b.news)
		b.news = nil
	}
}

// find returns the first entry whose message holds text, and what is closed
// when there are more entries to look at.
func (b *logbook) find(text string) (entry, bool, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.entries {
		if strings.Contains(e.Msg, text) {
			return e, true, nil
		}
	}
	if b.news == nil {
		b.news = make(chan struct{})
	}
	return entry{}, false, b.news
}

// wait returns the first entry whose message holds text, when it is there.
func (b *logbook) wait(t *testing.T, text string) entry {
	t.Helper()
	deadline := time.After(patience)
	for {
		e, ok, news := b.find(text)
		if ok {
			return e
		}
		select {
		case <-news:
		case <-deadline:
			t.Fatalf("the log never said %q:\n%s", text, b)
		}
	}
}

// has reports whether a message holds text.
func (b *logbook) has(text string) bool {
	_, ok, _ := b.find(text)
	return ok
}

// String returns the whole log.
func (b *logbook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var s strings.Builder
	for _, e := range b.entries {
		s.WriteString("    " + e.raw + "\n")
	}
	return s.String()
}
