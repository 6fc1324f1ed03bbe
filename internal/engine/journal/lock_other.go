//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package journal

import "os"

// flock leaves it to bbolt, which locks its own file, to keep others out.
func flock(*os.File) (held bool, err error) { return false, nil }
