package journal

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// UseError says that another process has the folder.
type UseError struct {
	Dir string
	PID int // 0 when it is not known
}

// Error names the holder and what to do.
func (e *UseError) Error() string {
	holder := "another process"
	if e.PID != 0 {
		holder = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("%s is in use by %s; stop it first, or give this server a folder of its own", e.Dir, holder)
}

// folderLock keeps other processes out of a folder as long as this one
// lives. The file stays when it ends; the lock does not.
type folderLock struct{ file *os.File }

// lockFolder takes the lock or returns a *UseError.
func lockFolder(dir, path string) (*folderLock, error) {
	f, err := openOurs(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, fmt.Errorf("the lock file %s cannot be opened: %w", path, reason(err))
	}
	held, err := flock(f)
	if err != nil || held {
		pid := holder(f)
		f.Close()
		if held {
			return nil, &UseError{Dir: dir, PID: pid}
		}
		return nil, fmt.Errorf("the lock file %s cannot be locked: %w", path, err)
	}
	// The pid is for people; that it could not be written takes nothing from
	// the lock, and on a full disk one must be able to start.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return &folderLock{f}, nil
}

// holder reads which process wrote the lock file, 0 when it does not say.
func holder(f *os.File) int {
	var b [20]byte
	n, _ := f.ReadAt(b[:], 0)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	return pid
}

// release gives the folder back.
func (l *folderLock) release() {
	_ = l.file.Truncate(0)
	_ = l.file.Close()
}
