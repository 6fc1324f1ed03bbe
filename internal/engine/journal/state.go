package journal

import (
	"bytes"
	"fmt"
)

// State returns what SetState was last given under a name, nil for nothing.
func (e *Engine) State(name string) []byte {
	e.writing.Lock()
	defer e.writing.Unlock()
	return bytes.Clone(e.state[name])
}

// SetState keeps a few bytes under a name, for others who have something to
// keep: at most a megabyte. It returns when they are on the disk, whatever
// the durability of messages; nil deletes. An error says that they are not,
// and what was there before still is; only after a sync that failed may a
// restart show the new ones.
func (e *Engine) SetState(name string, value []byte) error {
	if name == "" || len(name) > 200 || len(value) > 1<<20 {
		return fmt.Errorf("state %q of %d bytes cannot be kept", name, len(value))
	}
	e.writing.Lock()
	defer e.writing.Unlock()
	i := item{bucket: bucketState, key: []byte(name)}
	if value != nil {
		i.value = seal(bytes.Clone(value), name)
	}
	if e.closed {
		return fmt.Errorf("state %q cannot be kept: the journal in %s is closed", name, e.dir)
	}
	if err := e.setState(i); err != nil {
		return fmt.Errorf("state %q cannot be written to the journal in %s: %w", name, e.dir, cause(err))
	}
	if value == nil {
		delete(e.state, name)
	} else {
		e.state[name] = bytes.Clone(value)
	}
	return nil
}

// setState writes one item, alone. When that fails, the next batch sees what
// the matter is.
func (e *Engine) setState(i item) error {
	if e.store.doubt {
		if err := e.rewrite(); err != nil {
			return err
		}
	}
	err := e.store.commit([]item{i})
	if err != nil && e.store.doubt {
		e.dirty.Or(1)
		e.wake()
	}
	return err
}
