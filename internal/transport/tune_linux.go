package transport

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// inherited are the options of accepted connections. They are set once, on
// the listener.
var inherited = []struct{ level, option, value int }{
	// What the kernel keeps for a client beyond what is on its way to it. The
	// rest waits in the log, which all share.
	{unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, 128 << 10},
	// The heartbeat finds dead clients sooner; this is for HTTP, and rare.
	{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
	{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 300},
	{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 60},
	{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3},
}

// tune sets what accepted connections inherit from their listener.
func tune(_, _ string, raw syscall.RawConn) (err error) {
	fault := raw.Control(func(fd uintptr) {
		for _, o := range inherited {
			err = errors.Join(err, unix.SetsockoptInt(int(fd), o.level, o.option, o.value))
		}
	})
	return errors.Join(fault, err)
}
