//go:build linux

package test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
)

func TestStart_PortTakenIsOneLine(t *testing.T) {
	t.Parallel()
	s := serve(t)
	exit, text := output(t, "serve", "--listen", s.address)
	if exit != 1 || strings.Count(text, "\n") != 1 || !strings.Contains(text, s.address) || !strings.Contains(text, "--listen") {
		t.Errorf("exit code %d, %q", exit, text)
	}
}

func TestStart_OpenToOthersNeedsAKey(t *testing.T) {
	t.Parallel()
	exit, text := output(t, "serve", "--listen", "0.0.0.0:0")
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if exit != 1 || len(lines) != 3 || !strings.Contains(lines[1], "--api-key ") || !strings.Contains(lines[2], "--insecure") {
		t.Errorf("exit code %d, %q", exit, text)
	}
}

func TestStart_FaultsAreAllNamed(t *testing.T) {
	t.Parallel()
	path := file(t, "holdfast.yaml", "drain-limt: 5m\nheartbeat: soon\n")
	exit, text := output(t, "serve", "--config", path)
	for _, want := range []string{path + ":1", path + ":2", "drain-limit", "heartbeat"} {
		if exit != 1 || !strings.Contains(text, want) {
			t.Errorf("exit code %d, %q lacks %q", exit, text, want)
		}
	}
}

func TestSchedule_PublishesFromTheFile(t *testing.T) {
	t.Parallel()
	s := serve(t, "--config", file(t, "holdfast.yaml", everySecond))
	c := s.connect("?channels=ticks")
	c.read()
	c.expect("ticks", `{"n":1}`)
	c.expect("ticks", `{"n":1}`)
}

func TestSchedule_DefaultIsTheTestNotification(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.connect("").expect("broadcast", `{"text":"test notification"}`)
}

func TestReload_ChangesWhatCanBeChanged(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdefghij"
	path := file(t, "holdfast.yaml", everySecond)
	s := serve(t, "--config", path)
	c := s.connect("?channels=ticks,tocks")
	c.read()
	c.read()
	c.expect("ticks", `{"n":1}`)

	write(t, path, strings.NewReplacer("ticks", "tocks", `{"n": 1}`, `"tock"`).Replace(everySecond)+"api-key: "+key+"\n")
	s.signal(syscall.SIGHUP)
	s.log.wait(t, "reloaded")
	for f := c.read(); f.Channel != "tocks"; f = c.read() {
		if f.Channel != "ticks" {
			t.Fatalf("got %s", f.raw)
		}
	}
	if a := s.call("GET", "/v1/status", ""); a.status != http.StatusUnauthorized {
		t.Errorf("without the new key: %d %s", a.status, a.body)
	}
	if a := s.call("GET", "/v1/status", "", "Authorization: Bearer "+key); a.status != http.StatusOK {
		t.Errorf("with the new key: %d %s", a.status, a.body)
	}

	write(t, path, "schedules: nonsense\n")
	s.signal(syscall.SIGHUP)
	s.log.wait(t, "reload: nothing was changed")
	c.expect("tocks", `"tock"`)
}

func TestCommands_AgainstARunningServer(t *testing.T) {
	t.Parallel()
	s := serve(t)
	c := s.connect("")
	if exit, text := output(t, "publish", "--server", "http://"+s.address, "hi"); exit != 0 || !strings.Contains(text, "1 received") {
		t.Errorf("publish: exit code %d, %q", exit, text)
	}
	c.expect("broadcast", `"hi"`)
	if exit, text := output(t, "status", "--server", "http://"+s.address); exit != 0 || !strings.Contains(text, "1") {
		t.Errorf("status: exit code %d, %q", exit, text)
	}
	if exit, text := output(t, "bench", "--url", "ws://"+s.address+"/ws", "--clients", "50", "--rate", "100", "--duration", "1s"); exit != 0 {
		t.Errorf("bench: exit code %d, %q", exit, text)
	}
}
