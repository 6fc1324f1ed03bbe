package handover

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Start starts a successor, with this process's arguments and environment,
// and a socket to talk to it. No other descriptor goes along but the standard
// ones. A program that somebody else could have put there is refused.
func Start(c Command) (*Child, error) {
	path, err := c.program()
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	if err := CheckProgram(path); err != nil {
		return nil, err
	}
	conn, far, err := socketPair()
	if err != nil {
		return nil, fmt.Errorf("no socket for the new process can be made: %w", err)
	}
	end := os.NewFile(uintptr(far), "handover")
	defer end.Close()
	args := c.Args
	if args == nil {
		args = os.Args[1:]
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(append(environment(), c.Env...), variable+"=3")
	cmd.ExtraFiles = []*os.File{end}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, c.Stdout, c.Stderr
	if cmd.Stdout == nil {
		cmd.Stdout = os.Stdout
	}
	if cmd.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	if err := cmd.Start(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("the new process cannot be started: %w", err)
	}
	child := &Child{Conn: conn.(*net.UnixConn), PID: cmd.Process.Pid, command: cmd, done: make(chan struct{})}
	go child.wait()
	return child, nil
}

// environment is this process's without what is for it alone.
func environment() (list []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, variable+"=") {
			list = append(list, v)
		}
	}
	return list
}

// Inherited returns the socket to the process that started this one as its
// successor, nil when none did. It can be called once.
func Inherited() (*net.UnixConn, error) {
	text := os.Getenv(variable)
	if text == "" {
		return nil, nil
	}
	_ = os.Unsetenv(variable)
	fd, err := strconv.Atoi(text)
	if err != nil || fd < 3 {
		return nil, fmt.Errorf("%s=%q names no descriptor; it is for successors alone: unset it", variable, text)
	}
	syscall.CloseOnExec(fd)
	peer, err := syscall.GetsockoptUcred(fd, syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	if err != nil {
		return nil, fmt.Errorf("%s=%q names no socket: %w; it is for successors alone: unset it", variable, text, err)
	}
	if int(peer.Pid) != os.Getppid() {
		return nil, fmt.Errorf("%s=%q is the socket of process %d, which did not start this one (process %d did)", variable, text, peer.Pid, os.Getppid())
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("the socket of the old process cannot be used: %w", err)
	}
	return connection(fd)
}

// CheckProgram returns nil when nobody but root and this user can change the
// program at path, or what lies at that path.
func CheckProgram(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no program at %s", path)
		}
		return fmt.Errorf("the program %s cannot be looked at: %w", path, err)
	}
	if err := checkPath(real, real); err != nil || real == path {
		return err
	}
	return checkPath(real, filepath.Dir(path)) // where the link lies
}

// checkPath looks at a file or folder and all folders above it.
func checkPath(program, at string) error {
	for {
		info, err := os.Stat(at)
		if err != nil {
			return fmt.Errorf("the program %s cannot be looked at: %w", program, err)
		}
		if at == program && !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no program", program)
		}
		if err := checkOwner(program, at, info); err != nil {
			return err
		}
		up := filepath.Dir(at)
		if up == at {
			return nil
		}
		at = up
	}
}

// checkOwner looks at the program, or at a folder above it.
func checkOwner(program, at string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("who owns %s cannot be seen", at)
	}
	if stat.Uid != 0 && stat.Uid != uint32(os.Geteuid()) {
		return fmt.Errorf("%s is not started: %s belongs to user %d, who could put another program there: chown it to root", program, at, stat.Uid)
	}
	// In a sticky folder, such as /tmp, nobody can rename what is another's.
	if sticky := info.IsDir() && info.Mode()&fs.ModeSticky != 0; info.Mode().Perm()&0o022 != 0 && !(sticky && at != filepath.Dir(program)) {
		return fmt.Errorf("%s is not started: others may write to %s and could put another program there: chmod go-w %s", program, at, at)
	}
	return nil
}
