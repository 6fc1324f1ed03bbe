//go:build !linux

package transport

import "syscall"

func tune(string, string, syscall.RawConn) error { return nil }
