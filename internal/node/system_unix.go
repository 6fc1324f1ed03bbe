//go:build unix

package node

import (
	"math"
	"os"
	"os/signal"
	"syscall"
)

// descriptors returns how many file descriptors this process may hold.
func descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return int(min(uint64(limit.Cur), math.MaxInt32)) //nolint:unconvert // its type differs between systems
}

// notifyReload has c told of signals that ask for a reload.
func notifyReload(c chan<- os.Signal) { signal.Notify(c, syscall.SIGHUP) }
