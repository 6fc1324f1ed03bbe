//go:build linux

package test

import (
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestDescriptors_ExhaustedAreRefusedWithoutSpinning(t *testing.T) {
	c := command(measuredProgram, "--client-publish", "news")
	limited := exec.Command("sh", append([]string{"-c", `ulimit -n 128 && exec "$0" "$@"`}, c.Args...)...)
	limited.Env = c.Env
	s := launch(t, limited)
	s.ready()
	client := s.connect("?channels=news")
	client.read()
	idle := s.descriptors()

	var held []*raw
	for range 300 { // each wants a descriptor of the server, and then says nothing for a while
		r := s.dial()
		_, _ = io.WriteString(r, "GET /ws HTTP/1.1\r\n")
		held = append(held, r)
	}
	s.log.wait(t, "out of file descriptors")
	client.send(`{"type":"publish","channel":"news","data":"still served"}`)
	if a, b := client.read(), client.read(); a.Type == "error" || b.Type == "error" {
		t.Errorf("without descriptors: %s, %s", a.raw, b.raw)
	}
	const window = time.Second
	before := s.processor()
	<-time.After(window) // of measurement
	if used := s.processor() - before; used > window/4 {
		t.Errorf("%v of processor time in %v without descriptors", used, window)
	}
	refused := 0
	for _, r := range held {
		if p, _ := io.ReadAll(r.in); strings.HasPrefix(string(p), "HTTP/1.1 503 ") && strings.Contains(string(p), "Retry-After: ") {
			refused++
		}
		r.abort()
	}
	if refused == 0 {
		t.Error("nobody was told why")
	}
	if n := strings.Count(s.log.String(), "out of file descriptors"); n != 1 {
		t.Errorf("the log says it %d times", n)
	}
	eventually(t, "descriptors are free again", func() bool { return s.descriptors() <= idle+2 })
	s.connect("")
}

func TestDescriptors_SessionsStopShortOfTheLimit(t *testing.T) {
	t.Parallel()
	s := serve(t, "--max-sessions", "3")
	for range 3 {
		s.connect("")
	}
	if a := s.call("GET", "/ws", "", upgrade...); a.status != 503 || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, `"code":"full"`) {
		t.Errorf("the fourth got %d %s", a.status, a.body)
	}
}
