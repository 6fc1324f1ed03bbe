//go:build linux

package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	// The program is built by a command that go test knows nothing of. With
	// this it sees when the program has changed, and runs the tests again.
	_ "holdfast.dev/holdfast/internal/cli"
)

// The program under test, built once. Where memory and time are measured it
// is the one that users run, else the one with the race detector if the tests
// have it.
var program, measuredProgram string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "holdfast-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	measuredProgram = filepath.Join(dir, "holdfast")
	if program = measuredProgram; raceBuild {
		program = filepath.Join(dir, "holdfast-race")
		if !build(program, "-race") {
			return 1
		}
	}
	if !build(measuredProgram) {
		return 1
	}
	return m.Run()
}

func build(path string, flags ...string) bool {
	c := exec.Command("go", append(append([]string{"build", "-buildvcs=false"}, flags...), "-o", path, "../cmd/holdfast")...)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	return c.Run() == nil
}
