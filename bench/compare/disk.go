package main

import (
	"errors"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// fdatasync returns how long a disk takes to make 4 KiB durable, behind the end
// of a file in the folder: the median of many.
func fdatasync(folder string) (took time.Duration, err error) {
	f, err := os.CreateTemp(folder, "fdatasync-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	const block = 4096
	// The file has its size before: a journal grows by large steps too.
	if err := f.Truncate(1000 * block); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	data := make([]byte, block)
	var all []time.Duration
	for k := range int64(500) {
		data[0] = byte(k)
		begun := time.Now()
		if _, err := f.WriteAt(data, k*block); err != nil {
			return 0, err
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		all = append(all, time.Since(begun))
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}
