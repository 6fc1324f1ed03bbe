package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Names in the folder.
const (
	fileName  = "journal.db"
	nextName  = "journal.db.new"     // the file being written anew
	savedName = "journal.db.damaged" // what a repair puts aside
	lockName  = "lock"
)

// makeFolder makes sure that the folder is there and that nobody else may
// write to it.
func makeFolder(dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(dir, 0o700); err == nil {
			err = os.Chmod(dir, 0o700) // whatever the umask
		}
		if err != nil {
			return fmt.Errorf("the folder %s for the journal cannot be made: %w", dir, reason(err))
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("the folder %s for the journal cannot be looked at: %w", dir, reason(err))
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is a file; the journal needs a folder", dir)
	}
	return ours(dir, info, "700")
}

// checkFile refuses a file that is no file or that others may write.
func checkFile(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no ordinary file (%s); move it away", path, info.Mode())
	}
	return ours(path, info, "600")
}

// ours refuses what users other than this one and root may write.
func ours(path string, info fs.FileInfo, mode string) error {
	if !permissions {
		return nil
	}
	if info.Mode().Perm()&0o022 != 0 {
		hint := "run: chmod " + mode + " " + path
		if info.IsDir() {
			hint += ", or name a folder inside it, which will be made"
		}
		return fmt.Errorf("others may write %s (%s); %s", path, info.Mode(), hint)
	}
	if uid, known := owner(info); known && uid != 0 && uid != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d, not to the one this program runs as (%d); name another folder or run: chown %d %s",
			path, uid, os.Geteuid(), os.Geteuid(), path)
	}
	return nil
}

// openOurs opens a file of the folder, made with mode 0600 whatever the umask
// if it is not there.
func openOurs(path string, flag int) (*os.File, error) {
	if err := checkFile(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, flag|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	if flag&os.O_CREATE != 0 && permissions {
		if err := f.Chmod(0o600); err != nil {
			f.Close()
			return nil, err
		}
	}
	return f, nil
}

// syncFolder makes names that were made or changed in the folder durable.
func syncFolder(dir string) error {
	if !permissions {
		return nil // where folders cannot be opened
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// path returns where a file of the folder is.
func (s *store) path(name string) string { return filepath.Join(s.dir, name) }

// reason takes the path off an error of the file system: the words around it
// name it already.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}
