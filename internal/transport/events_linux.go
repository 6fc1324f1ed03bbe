package transport

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// giveUpAfter has the kernel end a connection when the client's has
// acknowledged nothing of what is due for so long, or takes nothing (tcp(7),
// TCP_USER_TIMEOUT). It makes up for the pings that a client of events cannot
// answer.
func giveUpAfter(nc net.Conn, d time.Duration) {
	if wrapped, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = wrapped.NetConn()
	}
	tcp, ok := plain(nc)
	if !ok {
		return
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
		})
	}
}
