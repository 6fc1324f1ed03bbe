//go:build unix

package loadgen

import "golang.org/x/sys/unix"

// descriptors is how many this process may hold; Go has raised the soft limit
// to the hard one at its start.
func descriptors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1 << 20
	}
	return int(min(uint64(limit.Cur), 1<<30))
}
