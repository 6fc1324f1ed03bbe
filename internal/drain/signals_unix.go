//go:build unix

package drain

import (
	"os"
	"syscall"
)

// statusSignal asks for a status line.
var statusSignal os.Signal = syscall.SIGUSR1
