//go:build !unix

package drain

import "os"

// statusSignal is nil: this system has no SIGUSR1.
var statusSignal os.Signal
