package handover

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
)

// variable tells a new process the number of the descriptor by which the old
// one talks to it.
const variable = "HOLDFAST_HANDOVER"

// Command says what to start as the successor.
type Command struct {
	// Path is the program; empty is this process's own, as it is on the disk
	// now.
	Path string
	// Args are its arguments without its name; nil is this process's own.
	Args []string
	// Env is added to the environment of this process.
	Env []string
	// Stdout and Stderr are where its output goes; nil is this process's own.
	Stdout, Stderr io.Writer
}

// Child is a successor that was started.
type Child struct {
	// Conn is for Old.Run, which closes it.
	Conn *net.UnixConn
	// PID is its process id.
	PID int

	command *exec.Cmd
	done    chan struct{}
	err     error // how it ended; to be read when done is closed
}

// Done is closed when the child has ended and was reaped.
func (c *Child) Done() <-chan struct{} { return c.done }

// Err returns how the child ended, in words. It is for after Done.
func (c *Child) Err() error { return c.err }

// Kill ends the child if it has not ended, waits for that, and returns how it
// ended.
func (c *Child) Kill() error {
	_ = c.command.Process.Kill()
	<-c.done
	return c.err
}

// wait reaps the child.
func (c *Child) wait() {
	defer close(c.done)
	err := c.command.Wait()
	if state := c.command.ProcessState; state != nil {
		err = fmt.Errorf("process %d ended with %s", c.PID, state)
	}
	c.err = err
}

func (c *Command) program() (string, error) {
	if c.Path != "" {
		return c.Path, nil
	}
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("where this program lies is not known: %w", err)
	}
	return path, nil
}
