//go:build linux

package oracle

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	// The program is built by a command that go test knows nothing of. With
	// this it sees when the program has changed, and runs the tests again.
	_ "holdfast.dev/holdfast/internal/cli"
)

var (
	seedFlag   = flag.Uint64("oracle-seed", 0, "seed of all trials; 0 draws one")
	timeFlag   = flag.Duration("oracle-time", 4*time.Second, "how long each trial is busy")
	clientFlag = flag.Int("oracle-clients", 200, "clients of each trial")
	program    = flag.String("oracle-program", "", "program to run instead of building it")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if *program != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "holdfast-oracle-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	*program = filepath.Join(dir, "holdfast")
	args := []string{"build", "-buildvcs=false", "-o", *program}
	if raceBuild {
		args = append(args, "-race")
	}
	c := exec.Command("go", append(args, "../../cmd/holdfast")...)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if c.Run() != nil {
		return 1
	}
	return m.Run()
}
