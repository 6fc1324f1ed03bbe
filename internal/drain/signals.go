package drain

import (
	"os"
	"syscall"
)

// Signals returns the signals that a Runner understands on this system, for
// signal.Notify.
func Signals() []os.Signal {
	signals := []os.Signal{syscall.SIGTERM, os.Interrupt}
	if statusSignal != nil {
		signals = append(signals, statusSignal)
	}
	return signals
}

// kindOf returns what s asks for; false when it is none of Signals.
func kindOf(s os.Signal) (Kind, bool) {
	switch s {
	case nil:
		return 0, false
	case syscall.SIGTERM:
		return Terminate, true
	case os.Interrupt:
		return Interrupt, true
	case statusSignal:
		return Status, true
	}
	return 0, false
}
