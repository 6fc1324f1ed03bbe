//go:build unix

package journal

import (
	"io/fs"
	"syscall"
)

// permissions says that files have modes that count.
const permissions = true

const noFollow = syscall.O_NOFOLLOW | syscall.O_CLOEXEC

// owner returns the user that a file belongs to.
func owner(info fs.FileInfo) (uid int, known bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(s.Uid), true
}
