//go:build linux

package oracle

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a trial waits for anything that should happen at once.
// It is long because the machine may be busy with much else.
const patience = 30 * time.Second

// server is the program, as often as it is started in a trial, always at the
// same port.
type server struct {
	t     *testing.T
	port  int
	flags []string
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process is gone

	mu  sync.Mutex
	log strings.Builder // of all processes; guarded by mu
}

// newServer finds a port for the program. It lies below those that the system
// gives to clients: one of these could take it while the program is away.
func newServer(t *testing.T, flags ...string) *server {
	t.Helper()
	s := &server{t: t, flags: flags}
	for port := 20000 + os.Getpid()%5000; port < 32000; port++ {
		if ln, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port)); err == nil {
			_ = ln.Close()
			s.port = port
			break
		}
	}
	t.Cleanup(func() {
		s.kill()
		log := s.text()
		if t.Failed() {
			t.Logf("the end of the server's log:\n%s", log[max(0, len(log)-4000):])
		}
		if strings.Contains(log, "DATA RACE") || strings.Contains(log, "panic") {
			t.Errorf("the server has crashed:\n%s", log)
		}
	})
	return s
}

func (s *server) address() string { return fmt.Sprint("127.0.0.1:", s.port) }

// start starts the program and waits until it serves.
func (s *server) start() {
	c := exec.Command(*program, append([]string{"serve", "--listen", s.address()}, s.flags...)...)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "GORACE=halt_on_error=1"}
	stderr, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		s.t.Error(err)
		return
	}
	serving, ended := make(chan struct{}), make(chan struct{})
	s.cmd, s.ended = c, ended
	go func() {
		lines, once := bufio.NewScanner(stderr), sync.Once{}
		for lines.Scan() {
			s.mu.Lock()
			s.log.WriteString("    " + lines.Text() + "\n")
			s.mu.Unlock()
			if strings.Contains(lines.Text(), "serving") {
				once.Do(func() { close(serving) })
			}
		}
		_ = c.Wait()
		close(ended)
	}()
	select {
	case <-serving:
	case <-ended:
		s.t.Errorf("the server ended instead of serving:\n%s", s.text())
	case <-time.After(patience):
		s.t.Errorf("the server does not serve:\n%s", s.text())
	}
}

// stop sends a signal and waits until the process is gone.
func (s *server) stop(sig syscall.Signal) {
	_ = s.cmd.Process.Signal(sig)
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Errorf("%v does not end the server", sig)
	}
}

// kill ends the process, if there is one.
func (s *server) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

func (s *server) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}
