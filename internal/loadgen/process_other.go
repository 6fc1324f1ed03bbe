//go:build !linux

package loadgen

import (
	"errors"
	"time"
)

var errNotHere = errors.New("the memory and processor time of another process are read on Linux only")

// CPU is read on Linux only.
func (p Process) CPU() (time.Duration, error) { return 0, errNotHere }

// Resident is read on Linux only.
func (p Process) Resident() (int64, error) { return 0, errNotHere }
