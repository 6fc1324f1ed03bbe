package transport

import "syscall"

// What Winsock says when an address cannot be had.
const (
	errNotPermitted  = syscall.Errno(10013)
	errInUse         = syscall.Errno(10048)
	errNoSuchAddress = syscall.Errno(10049)
)
