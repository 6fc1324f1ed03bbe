package transport

import (
	"fmt"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// detach takes the descriptor out of a plain TCP connection and closes what
// was around it. It never goes by way of os.File, which would make the socket
// blocking.
func detach(nc net.Conn) (fd int32, err error) {
	tcp, ok := plain(nc)
	if !ok {
		return -1, errNotDetachable
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("detach: %w", err)
	}
	var dup int
	var fault error
	err = raw.Control(func(old uintptr) { dup, fault = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
	if err == nil {
		err = fault
	}
	if err != nil {
		return -1, fmt.Errorf("detach: %w", err)
	}
	_ = nc.Close()
	return int32(dup), nil
}

// plain returns the TCP connection below wrappers that do not change bytes.
func plain(nc net.Conn) (*net.TCPConn, bool) {
	for {
		switch c := nc.(type) {
		case *net.TCPConn:
			return c, true
		case interface{ Plain() net.Conn }:
			nc = c.Plain()
		default:
			return nil, false
		}
	}
}

// send writes without waiting. n < len(p) without an error means that the
// socket is full. The call never blocks, so the scheduler is not told of it.
func send(fd int32, p []byte) (n int, err error) {
	for {
		r, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))),
			uintptr(len(p)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			return int(r), nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, nil
		default:
			return 0, errno
		}
	}
}

// receive reads without waiting. It returns -1 when there is nothing yet and
// 0 at the end.
func receive(fd int32, p []byte) (n int, err error) {
	for {
		r, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))),
			uintptr(len(p)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(r), nil
		case unix.EINTR:
		case unix.EAGAIN:
			return -1, nil
		default:
			return 0, errno
		}
	}
}

// shutdown ends our side of a connection.
func shutdown(fd int32) { _ = unix.Shutdown(int(fd), unix.SHUT_WR) }
