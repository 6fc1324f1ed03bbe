//go:build linux

package test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server is one run of the program.
type server struct {
	t       *testing.T
	cmd     *exec.Cmd
	log     logbook
	address string // HOST:PORT
	scheme  string // http or https
	web     *http.Client
	issuer  *authority // of its certificate, with TLS

	ended chan struct{} // closed when the process is gone
	exit  int           // its code; -1 when a signal ended it. Valid once ended
}

// serve runs the program on a free port, with the flags, until the test is
// over.
func serve(t *testing.T, flags ...string) *server {
	t.Helper()
	s := launch(t, command(program, flags...))
	s.ready()
	return s
}

// serveMeasured is serve for tests that look at memory or time.
func serveMeasured(t *testing.T, flags ...string) *server {
	t.Helper()
	s := launch(t, command(measuredProgram, flags...))
	s.ready()
	return s
}

// command is the program with flags and an environment of its own.
func command(path string, flags ...string) *exec.Cmd {
	c := exec.Command(path, append([]string{"serve", "--listen", "127.0.0.1:0"}, flags...)...)
	// A drain that refuses newcomers at once keeps the tests short.
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "GORACE=halt_on_error=1", "HOLDFAST_DRAIN_ANNOUNCE=0s"}
	return c
}

// launch starts a process and follows its log.
func launch(t *testing.T, c *exec.Cmd) *server {
	t.Helper()
	s := &server{t: t, cmd: c, scheme: "http", web: &http.Client{Timeout: patience}, ended: make(chan struct{})}
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		s.log.follow(stderr)
		_ = c.Wait()
		s.exit = c.ProcessState.ExitCode()
		close(s.ended)
	})
	t.Cleanup(func() {
		_ = c.Process.Kill()
		wg.Wait()
		s.web.CloseIdleConnections()
		if t.Failed() {
			t.Logf("the server's log:\n%s", &s.log)
		}
		if s.log.has("DATA RACE") || s.log.has("panic") {
			t.Errorf("the server has crashed:\n%s", &s.log)
		}
	})
	return s
}

// ready waits until clients can connect.
func (s *server) ready() {
	s.t.Helper()
	s.address = s.log.wait(s.t, "serving").Address
}

// signal sends the process a signal.
func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("%v: %v", sig, err)
	}
}

// insist sends a signal until the log holds text: what comes within two
// seconds of another counts as the same signal.
func (s *server) insist(sig syscall.Signal, text string) {
	s.t.Helper()
	again := time.NewTicker(500 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(patience)
	for {
		_, ok, news := s.log.find(text)
		if ok {
			return
		}
		select {
		case <-news:
		case <-again.C:
			s.signal(sig)
		case <-deadline:
			s.t.Fatalf("%v never made the log say %q", sig, text)
		}
	}
}

// wait returns the exit code once the process has ended.
func (s *server) wait() int {
	s.t.Helper()
	select {
	case <-s.ended:
		return s.exit
	case <-time.After(patience):
		s.t.Fatal("the server goes on and on")
		return -1
	}
}

// answer is an HTTP response that was read.
type answer struct {
	status int
	header http.Header
	body   string
	close  bool // the server said that it ends the connection
}

// call makes an HTTP request. Headers come as "Name: value".
func (s *server) call(method, path, body string, headers ...string) answer {
	s.t.Helper()
	a, err := s.try(method, path, body, headers...)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *server) try(method, path, body string, headers ...string) (answer, error) {
	r, err := http.NewRequest(method, s.scheme+"://"+s.address+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	response, err := s.web.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text), response.Close}, err
}

// publish publishes data and returns how many subscribers it had.
func (s *server) publish(channel, data string) answer {
	s.t.Helper()
	a := s.call("POST", "/v1/channels/"+channel+"/messages", data)
	if a.status != http.StatusOK {
		s.t.Fatalf("publish to %s: %d %s", channel, a.status, a.body)
	}
	return a
}

// output runs the program to its end and returns its exit code and what it
// wrote.
func output(t *testing.T, args ...string) (exit int, text string) {
	t.Helper()
	var out bytes.Buffer
	c := exec.Command(program, args...)
	c.Env = []string{"PATH=" + os.Getenv("PATH")}
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String()
}
