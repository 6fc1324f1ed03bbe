package transport

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// unsent bounds the bytes that the kernel keeps for a client beyond what is
// on its way to it. What it will not take waits in the log, which all share.
const unsent = 128 << 10

// tune sets what accepted connections inherit from their listener.
func tune(_, _ string, raw syscall.RawConn) (err error) {
	fault := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent)
	})
	if fault != nil {
		return fault
	}
	return err
}
