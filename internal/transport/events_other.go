//go:build !linux

package transport

import (
	"net"
	"time"
)

// giveUpAfter does nothing: the kernel's own patience has to do.
func giveUpAfter(net.Conn, time.Duration) {}
