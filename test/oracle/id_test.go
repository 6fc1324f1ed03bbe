//go:build linux

package oracle

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// id is where a message stands in its channel. Epochs are counted in the order
// in which they were first seen, from 1; the zero id is no place.
type id struct {
	epoch uint32
	seq   uint64
}

// epochs are the names of all epochs that were seen in a trial.
type epochs struct {
	mu    sync.Mutex
	names []string // guarded by mu
}

// number returns the number of an epoch, a new one when it was never seen.
func (e *epochs) number(name string) uint32 {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, n := range e.names {
		if n == name {
			return uint32(i + 1)
		}
	}
	e.names = append(e.names, strings.Clone(name))
	return uint32(len(e.names))
}

func (e *epochs) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.names)
}

// parse reads the wire form of an id.
func (e *epochs) parse(text string) (id, error) {
	name, digits, ok := strings.Cut(text, "-")
	seq, err := strconv.ParseUint(digits, 10, 64)
	if !ok || name == "" || err != nil {
		return id{}, fmt.Errorf("%q is no id", text)
	}
	return id{e.number(name), seq}, nil
}

// text returns the wire form of an id.
func (e *epochs) text(i id) string {
	if i == (id{}) {
		return "nowhere"
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.names[i.epoch-1] + "-" + strconv.FormatUint(i.seq, 10)
}
