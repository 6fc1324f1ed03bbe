//go:build !windows

package transport

import "syscall"

// What the system says when an address cannot be had.
const (
	errNotPermitted  = syscall.EACCES
	errInUse         = syscall.EADDRINUSE
	errNoSuchAddress = syscall.EADDRNOTAVAIL
)
