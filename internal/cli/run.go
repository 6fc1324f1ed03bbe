package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/node"
)

// Stdio is the world around a command.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
	// Environ is the environment as NAME=value.
	Environ []string
	// OutTerminal and ErrTerminal say whether a person watches Out and Err.
	OutTerminal, ErrTerminal bool
}

// System returns the standard streams and the environment of this process.
func System() Stdio {
	return Stdio{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Environ:     os.Environ(),
		OutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
}

// ServeFunc runs a server until it has stopped and returns the exit code. An
// error is shown to the user before exiting.
type ServeFunc func(ctx context.Context, cfg config.Config, opts node.Options) (exit int, err error)

// Run carries out one command line (without the program's name) and returns
// the exit code. serve runs the server. Client commands end when ctx does,
// or on SIGINT and SIGTERM; the server handles signals itself.
func Run(ctx context.Context, args []string, stdio Stdio, serve ServeFunc) int {
	a := &app{Stdio: stdio, args: args, serve: serve}
	root := newRoot(a)
	root.SetArgs(append([]string{}, args...)) // never nil: cobra would take those of the process
	root.SetIn(stdio.In)
	root.SetOut(stdio.Out)
	root.SetErr(stdio.Err)
	return a.finish(root.ExecuteContext(ctx))
}

// app is one run of the program.
type app struct {
	Stdio
	args   []string
	serve  ServeFunc
	common common
}

// variable returns the value of an environment variable, empty when not set.
func (a *app) variable(name string) string {
	for _, line := range a.Environ {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return value
		}
	}
	return ""
}

// printf writes a result.
func (a *app) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(a.Out, format, args...)
	return err
}

// say writes words for people, unless they want none.
func (a *app) say(format string, args ...any) {
	if !a.common.quiet {
		fmt.Fprintf(a.Err, format+"\n", args...)
	}
}
