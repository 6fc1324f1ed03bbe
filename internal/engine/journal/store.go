package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"holdfast.dev/holdfast/internal/engine/journal/boltfile"
)

// store is the file. It has no lock: its methods may not be called
// concurrently.
//
// After a failure the file is closed, and opened again by the next commit.
// When it is not certain that what the file is said to hold is on the disk,
// because a sync failed or the library panicked, nothing that this file has
// is trusted any more: doubt is set, and it has to be written anew from what
// is in memory.
type store struct {
	dir   string
	lock  *folderLock
	db    *bbolt.DB // nil after a failure
	doubt bool
}

// item is one change: a value put under a key, or the key deleted where the
// value is nil.
type item struct {
	bucket, key, value []byte
}

// failure says that a commit failed.
type failure struct {
	cause error
	// uncertain is whether a crash may show that it did not.
	uncertain bool
}

func (f *failure) Error() string { return f.cause.Error() }

// openStore takes the folder. The file itself is not opened.
func openStore(dir string) (*store, error) {
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	s := &store{dir: dir}
	var err error
	if s.lock, err = lockFolder(dir, s.path(lockName)); err != nil {
		return nil, err
	}
	// Left behind by a process that died while it wrote anew.
	if err := os.Remove(s.path(nextName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.lock.release()
		return nil, fmt.Errorf("%s cannot be removed: %w", s.path(nextName), reason(err))
	}
	return s, nil
}

// open opens a file of the folder by the library.
func (s *store) open(name string) (db *bbolt.DB, err error) {
	defer caught(&err)()
	return bbolt.Open(s.path(name), 0o600, &bbolt.Options{
		Timeout:      time.Second, // held by this process alone; elsewhere than on Unix this is the lock
		FreelistType: bbolt.FreelistMapType,
		NoStatistics: true,
		OpenFile: func(path string, flag int, _ os.FileMode) (*os.File, error) {
			if name == fileName {
				flag &^= os.O_CREATE // it comes into being whole, by rewrite
			}
			return openOurs(path, flag)
		},
	})
}

// caught turns a panic of the library, or a fault in the file that it maps,
// into an error.
func caught(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if r := recover(); r != nil {
			*err = &panicked{fmt.Sprint(r)}
		}
	}
}

// panicked is a panic of the library.
type panicked struct{ text string }

func (p *panicked) Error() string { return "the file is damaged: " + p.text }

// commit makes items durable, all or none of them. Its error is a *failure.
func (s *store) commit(items []item) error {
	if s.doubt {
		return &failure{cause: errors.New("the file has to be written anew")}
	}
	if s.db == nil {
		db, err := s.open(fileName)
		if err != nil {
			s.doubt = !refusedOpen(err)
			return &failure{cause: err}
		}
		s.db = db
	}
	tx, err := s.apply(items)
	if err == nil {
		return nil
	}
	return s.failed(tx, err)
}

// apply runs one transaction and returns its number.
func (s *store) apply(items []item) (number uint64, err error) {
	var tx *bbolt.Tx
	defer caught(&err)()
	if tx, err = s.db.Begin(true); err != nil {
		return 0, err
	}
	number = uint64(tx.ID())
	if err = put(tx, items); err != nil {
		return number, errors.Join(err, tx.Rollback())
	}
	return number, tx.Commit()
}

func put(tx *bbolt.Tx, items []item) (err error) {
	var b *bbolt.Bucket
	var name []byte
	for _, i := range items {
		if b == nil || string(name) != string(i.bucket) {
			if b, err = tx.CreateBucketIfNotExists(i.bucket); err != nil {
				return err
			}
			// Records come at the end, in order: pages need no room to grow.
			name, b.FillPercent = i.bucket, 0.95
		}
		if i.value == nil {
			err = b.Delete(i.key)
		} else {
			err = b.Put(i.key, i.value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// failed closes the file after transaction number failed and finds out what
// that means.
func (s *store) failed(number uint64, err error) error {
	s.closeFile(err)
	f := &failure{cause: err}
	if !refusedWrite(err) {
		s.doubt, f.uncertain = true, true
		return f
	}
	// Nothing was written that counts, unless the head was.
	file, openErr := os.Open(s.path(fileName))
	if openErr == nil {
		defer file.Close()
		info, _ := file.Stat()
		tx, whole, readErr := boltfile.Transaction(file, info.Size())
		if readErr == nil && whole && tx < number {
			return f
		}
	}
	s.doubt, f.uncertain = true, true
	return f
}

// refusedWrite reports whether err says that the system refused to take
// bytes, and not that it lost some that it had taken.
func refusedWrite(err error) bool {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return strings.HasPrefix(e.Op, "write") || e.Op == "truncate"
	}
	return strings.HasPrefix(err.Error(), "file resize error:")
}

// refusedOpen reports whether err says that the system refused to open the
// file, and nothing of what is in it.
func refusedOpen(err error) bool {
	e, ok := errors.AsType[*fs.PathError](err)
	return ok && e.Op == "open" && !errors.Is(err, fs.ErrNotExist)
}

// closeFile gives up the file after err. After a panic the library's locks
// may be held for ever; then it is left to the system.
func (s *store) closeFile(err error) {
	db := s.db
	s.db = nil
	if _, ok := errors.AsType[*panicked](err); db == nil || ok {
		return
	}
	var ignored error
	defer caught(&ignored)()
	_ = db.Close()
}

// close closes the file and gives the folder back.
func (s *store) close() error {
	var err error
	if s.db != nil {
		err = s.db.Close()
		s.db = nil
	}
	s.lock.release()
	return err
}
