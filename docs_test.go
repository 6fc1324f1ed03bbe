package holdfast_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"holdfast.dev/holdfast/internal/cli"
	"holdfast.dev/holdfast/internal/node"
)

// serve runs the program in this process until the test ends and returns its
// address. It publishes nothing by itself.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "holdfast.yaml")
	if err := os.WriteFile(file, []byte("schedules: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	logs, log := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		args := append([]string{"serve", "--listen", "127.0.0.1:0", "--config", file}, args...)
		cli.Run(ctx, args, cli.Stdio{Out: io.Discard, Err: log}, node.Serve)
		log.Close()
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	address := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(logs); lines.Scan(); {
			var line struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				address <- line.Address
			}
		}
		close(address)
	}()
	at, ok := <-address
	if !ok {
		t.Fatal("the server did not start")
	}
	return at
}

var fence = regexp.MustCompile("(?ms)^```(\\w+) ?([^\n]*)\n(.*?)^```$")

// blocks returns the code blocks of a document in one language.
func blocks(t *testing.T, file, language string) (found [][]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		if m[1] == language {
			found = append(found, []string{m[2], strings.TrimSuffix(m[3], "\n")})
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s has no %s blocks", file, language)
	}
	return found
}

// same compares two JSON texts; "…" stands for any string.
func same(t *testing.T, want, got string) {
	t.Helper()
	var w, g any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("the document is not JSON: %s", want)
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil || !matches(w, g) {
		t.Errorf("the document says %s\nthe server said  %s", want, got)
	}
}

func matches(want, got any) bool {
	if want == "…" {
		s, ok := got.(string)
		return ok && s != ""
	}
	if list, ok := want.([]any); ok {
		g, _ := got.([]any)
		return slices.EqualFunc(list, g, matches)
	}
	w, ok := want.(map[string]any)
	if !ok {
		return reflect.DeepEqual(want, got)
	}
	g, ok := got.(map[string]any)
	if !ok || len(w) != len(g) {
		return false
	}
	for k := range w {
		if _, ok := g[k]; !ok || !matches(w[k], g[k]) {
			return false
		}
	}
	return true
}

func TestProtocol_FramesAreAsTheDocumentShowsThem(t *testing.T) {
	address := serve(t, "--client-publish", "chat-*", "--presence", "room-*")
	for _, block := range blocks(t, "PROTOCOL.md", "ws") {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		c, _, err := websocket.Dial(ctx, "ws://"+address+block[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(block[1]) {
			line = strings.TrimSuffix(line, "\n")
			switch text := line[2:]; line[0] {
			case '>':
				if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
					t.Fatal(err)
				}
			case '<':
				_, got, err := c.Read(ctx)
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				same(t, text, string(got))
			default:
				t.Fatalf("%q is neither sent nor received", line)
			}
		}
		_ = c.Close(websocket.StatusNormalClosure, "")
		cancel()
	}
}

func TestProtocol_AnswersAreAsTheDocumentShowsThem(t *testing.T) {
	address := serve(t)
	for _, block := range blocks(t, "PROTOCOL.md", "http") {
		request, answer, ok := strings.Cut(block[1], "\n\n")
		if !ok {
			t.Fatalf("%s has no answer", block[1])
		}
		line, body, _ := strings.Cut(request, "\n")
		method, path, _ := strings.Cut(line, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		status, want, _ := strings.Cut(answer, "\n")
		if fmt.Sprint(resp.StatusCode) != status {
			t.Errorf("%s: status %d, the document says %s", line, resp.StatusCode, status)
		}
		lines := strings.Split(strings.TrimSpace(string(got)), "\n")
		for i, w := range strings.Split(want, "\n") {
			if i >= len(lines) {
				t.Fatalf("%s: answered only %s", line, got)
			}
			same(t, w, lines[i])
		}
	}
}

// TestReadme_CommandsWork runs what the README tells a newcomer to type at a
// running server.
func TestReadme_CommandsWork(t *testing.T) {
	address := serve(t)
	ran := 0
	for _, block := range blocks(t, "README.md", "sh") {
		for line := range strings.Lines(block[1]) {
			if !strings.HasPrefix(line, "curl ") {
				continue
			}
			ran++
			line = strings.ReplaceAll(line, "localhost:8000", address)
			curl := "curl -sS --fail-with-body "
			stream := strings.Contains(line, " -N ") // it would go on for ever: what counts is that it begins
			if stream {
				curl += "-m 1 "
			}
			out, err := exec.CommandContext(t.Context(), "sh", "-c", "exec "+strings.Replace(line, "curl ", curl, 1)).CombinedOutput()
			if err != nil && !(stream && strings.Contains(string(out), "event: welcome")) {
				t.Errorf("%s: %v\n%s", strings.TrimSpace(line), err, out)
			}
		}
	}
	if ran == 0 {
		t.Error("no command of the README was tried")
	}
}
