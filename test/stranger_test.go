//go:build linux

package test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stranger is a client that others wrote.
type stranger struct {
	t    *testing.T
	told chan happening // what happens to it
	send func(text string)
}

// happening is what a stranger says has happened to it.
type happening struct {
	Event      string // open, message, binary, error, close; of events, their type
	Text       string
	ID         string // of an event
	Extensions string
	Code       int
	Reason     string
	Clean      *bool // said by browsers
}

// missing skips the test that lacks something, or fails it where all must be
// there.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("HOLDFAST_TEST_ALL") != "" {
		t.Fatalf("%s is missing; scripts/test installs it", what)
	}
	t.Skipf("%s is missing; scripts/test installs it", what)
}

// script returns the path of a client's program. To look at it makes go test
// run again when it has changed.
func script(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("clients", name)
	if _, err := os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// newStranger starts a program that follows the clients' common manner: lines
// to send come in, lines of JSON tell what happens.
func newStranger(t *testing.T, c *exec.Cmd) *stranger {
	t.Helper()
	st := &stranger{t: t, told: make(chan happening, 100)}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var faults strings.Builder
	c.Stderr = &faults
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	st.send = func(text string) { _, _ = io.WriteString(in, text+"\n") }
	var wg sync.WaitGroup
	wg.Go(func() {
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			var h happening
			if json.Unmarshal(lines.Bytes(), &h) == nil {
				st.told <- h
			}
		}
		_ = c.Wait()
	})
	t.Cleanup(func() {
		_ = c.Process.Kill()
		wg.Wait()
		if t.Failed() {
			t.Logf("the client's errors: %s", faults.String())
		}
	})
	return st
}

// next returns what happens next.
func (st *stranger) next() happening {
	st.t.Helper()
	select {
	case h := <-st.told:
		return h
	case <-time.After(patience):
		st.t.Fatal("nothing happens to the client any more")
		return happening{}
	}
}

// frame returns the next frame.
func (st *stranger) frame() frame {
	st.t.Helper()
	h := st.next()
	f := frame{raw: h.Text}
	if err := json.Unmarshal([]byte(h.Text), &f); h.Event != "message" || err != nil {
		st.t.Fatalf("got %+v, want a frame", h)
	}
	return f
}

// visit takes a stranger through the life of a client, from its welcome to
// the end of the server, which must have the limit and publish flags of
// visited.
func (st *stranger) visit(s *server) {
	t := st.t
	t.Helper()
	if h := st.next(); h.Event != "open" || !strings.HasPrefix(h.Extensions, "permessage-deflate") {
		t.Fatalf("got %+v, want to be connected, with compression", h)
	}
	if f := st.frame(); f.Type != "welcome" {
		t.Fatalf("first frame %s", f.raw)
	}
	if f := st.frame(); f.Type != "subscribed" || f.Channel != "chat" {
		t.Fatalf("second frame %s", f.raw)
	}
	for _, size := range []int{1, 300, 70_000} { // plain, compressed, longer than one read
		data := fmt.Sprintf("%q", strings.Repeat("grüße ", size/6+1))
		s.publish("broadcast", data)
		if f := st.frame(); f.Type != "message" || string(f.Data) != data {
			t.Fatalf("a message of %d bytes came as %.200s", len(data), f.raw)
		}
	}
	for n := range 3 {
		st.send(fmt.Sprintf(`{"type":"publish","channel":"chat","data":{"text":"%s","n":%d},"request":%d}`, strings.Repeat("hello ", 200*n), n, n))
		first, second := st.frame(), st.frame()
		if first.Type == "message" {
			first, second = second, first
		}
		if first.Type != "published" || second.Type != "message" || first.ID != second.ID {
			t.Fatalf("publish by the client: %.200s and %.200s", first.raw, second.raw)
		}
	}
	s.signal(syscall.SIGTERM)
	s.log.wait(t, "drain started: 1 connection")
	if f := st.frame(); f.Type != "draining" {
		t.Fatalf("the first word of a drain is %s", f.raw)
	}
	s.publish("broadcast", `"while draining"`)
	if f := st.frame(); string(f.Data) != `"while draining"` {
		t.Fatalf("while draining: %s", f.raw)
	}
	h := st.next()
	if h.Event != "close" || h.Code != 1012 || !regexp.MustCompile(`^restart retry=\d+$`).MatchString(h.Reason) || h.Clean != nil && !*h.Clean {
		t.Errorf("the end was %+v", h)
	}
	if exit := s.wait(); exit != 0 {
		t.Errorf("exit code %d", exit)
	}
}

// visited are the flags of a server for visit.
var visited = []string{"--client-publish", "chat", "--drain-limit", "2s"}

func TestStranger_Node(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "node")
	}
	if _, err := os.Stat("clients/node_modules/ws"); err != nil {
		missing(t, "the package ws under test/clients")
	}
	t.Run("plain", func(t *testing.T) {
		s := serve(t, visited...)
		newStranger(t, exec.Command("node", script(t, "node.mjs"), "ws://"+s.address+"/ws?channels=chat")).visit(s)
	})
	t.Run("TLS", func(t *testing.T) {
		s := newAuthority(t).issue(t).serve(t, visited...)
		c := exec.Command("node", script(t, "node.mjs"), "wss://"+s.address+"/ws?channels=chat")
		c.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+s.authority(t))
		newStranger(t, c).visit(s)
	})
}

func TestStranger_Python(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3"
	if exec.Command(python, "-c", "import websockets").Run() != nil {
		missing(t, "Debian's python3-websockets")
	}
	t.Run("plain", func(t *testing.T) {
		s := serve(t, visited...)
		newStranger(t, exec.Command(python, script(t, "websockets_client.py"), "ws://"+s.address+"/ws?channels=chat")).visit(s)
	})
	t.Run("TLS", func(t *testing.T) {
		s := newAuthority(t).issue(t).serve(t, visited...)
		newStranger(t, exec.Command(python, script(t, "websockets_client.py"), "wss://"+s.address+"/ws?channels=chat", s.authority(t))).visit(s)
	})
}
