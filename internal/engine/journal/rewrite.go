package journal

import (
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"
)

// chunk is how many bytes of a file written anew go into one transaction.
const chunk = 8 << 20

// rewrite writes the file anew, beside the old one, and puts it in its place
// when it is on the disk. fill hands over all that is to be in it, in order
// of buckets and keys; what it hands over may be changed when put returns.
func (s *store) rewrite(fill func(put func(item) error) error) error {
	s.closeFile(nil)
	if err := s.writeNext(fill); err != nil {
		_ = os.Remove(s.path(nextName))
		return &failure{cause: err}
	}
	if err := os.Rename(s.path(nextName), s.path(fileName)); err != nil {
		return &failure{cause: err}
	}
	if err := syncFolder(s.dir); err != nil {
		// Which of the two a crash would show is not known.
		return &failure{cause: err, uncertain: true}
	}
	s.doubt = false
	db, err := s.open(fileName)
	if err != nil {
		return &failure{cause: err}
	}
	s.db = db
	return nil
}

func (s *store) writeNext(fill func(put func(item) error) error) (err error) {
	if err := os.Remove(s.path(nextName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	db, err := s.open(nextName)
	if err != nil {
		return err
	}
	w := &filler{db: db}
	db.NoSync = true // once, at the end
	if err := w.run(fill); err != nil {
		if _, ok := errors.AsType[*panicked](err); !ok {
			_ = db.Close()
		}
		return err
	}
	if err := db.Sync(); err != nil {
		_ = db.Close()
		return fmt.Errorf("sync: %w", err)
	}
	return db.Close()
}

// filler fills a new file by transactions of a bounded size.
type filler struct {
	db    *bbolt.DB
	items []item
	bytes int
}

func (w *filler) run(fill func(put func(item) error) error) (err error) {
	defer caught(&err)()
	if err := fill(w.put); err != nil {
		return err
	}
	return w.flush()
}

func (w *filler) put(i item) error {
	b := make([]byte, 0, len(i.key)+len(i.value))
	b = append(append(b, i.key...), i.value...)
	n := len(i.key)
	w.items = append(w.items, item{i.bucket, b[:n:n], b[n:]})
	if w.bytes += len(b); w.bytes < chunk {
		return nil
	}
	return w.flush()
}

func (w *filler) flush() error {
	tx, err := w.db.Begin(true)
	if err != nil {
		return err
	}
	if err := put(tx, w.items); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	w.items, w.bytes = w.items[:0], 0
	return tx.Commit()
}

// keep keeps the file under another name, as well as that can be done: it is
// damaged, and about to be written anew.
func (s *store) keep() {
	_ = os.Remove(s.path(savedName))
	_ = os.Link(s.path(fileName), s.path(savedName))
}
