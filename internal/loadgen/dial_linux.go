package loadgen

import (
	"os"

	"golang.org/x/sys/unix"
)

// perSource is how many clients share one source address on the loopback
// network: well under the ports that the kernel gives out for one.
const perSource = 20_000

// resolve prepares the server's address for the kernel.
func (s *shard) resolve() {
	at := s.fleet.opt.Address
	if at.Addr().Unmap().Is4() {
		s.family, s.remote = unix.AF_INET, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().Unmap().As4()}
		return
	}
	s.family, s.remote = unix.AF_INET6, &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
}

// dialSome dials as many clients as may be under way at once.
func (s *shard) dialSome() {
	for {
		i, ok := s.next()
		if !ok {
			return
		}
		c := &s.clients[i]
		c.phase = dialling
		fd, err := s.dial(i)
		if err != nil {
			s.ended(i, err)
			continue
		}
		c.fd, c.armed = fd, true
		s.watch(i, unix.EPOLL_CTL_ADD, unix.EPOLLOUT)
	}
}

// dial begins to connect client i.
func (s *shard) dial(i int) (fd int, err error) {
	fd, err = unix.Socket(s.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if s.clients[i].stalled { // so that little enough fits in to stall soon
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
	}
	if source, ok := s.source(i); ok {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		if err := unix.Bind(fd, source); err != nil {
			unix.Close(fd)
			return -1, os.NewSyscallError("bind", err)
		}
	}
	if err := unix.Connect(fd, s.remote); err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return -1, os.NewSyscallError("connect", err)
	}
	return fd, nil
}

// source is the address that client i connects from, where one address of this
// machine has too few ports for all: 127.0.0.1, .2, … in turn.
func (s *shard) source(i int) (unix.Sockaddr, bool) {
	addresses := (s.fleet.opt.Clients + perSource - 1) / perSource
	if addresses < 2 || s.family != unix.AF_INET || !s.fleet.opt.Address.Addr().IsLoopback() {
		return nil, false
	}
	n := (s.first + i) % addresses
	return &unix.SockaddrInet4{Addr: [4]byte{127, 0, byte(n / 250), byte(1 + n%250)}}, true
}

// dialled goes on once the kernel has connected client i, or could not.
func (s *shard) dialled(i int) {
	c := &s.clients[i]
	errno, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = unix.Errno(errno)
	}
	if err != nil {
		s.drop(i, os.NewSyscallError("connect", err))
		return
	}
	c.out = append(c.out, s.fleet.opt.Dialect.Request(s.first+i)...)
	c.phase = upgrading
	s.flush(i)
}
