package loadgen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// platform is what the event loop of a shard owns.
type platform struct {
	epoll  int
	buffer []byte // every read goes here
	tasks  chan func()
	remote unix.Sockaddr
	family int
}

func (p *platform) init() {
	p.buffer = make([]byte, 256<<10)
	p.tasks = make(chan func())
}

// tick bounds how long the loop sleeps: tasks and the end of its context are
// looked for so often.
const tick = 10 * time.Millisecond

// lingerFor is how long clients wait for the server's end after their goodbye.
const lingerFor = 2 * time.Second

// run serves the shard's clients until ctx is done and all have ended.
func (s *shard) run(ctx context.Context) error {
	var err error
	if s.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("create an epoll instance: %w", err)
	}
	defer unix.Close(s.epoll)
	s.resolve()
	s.started = time.Now()
	events := make([]unix.EpollEvent, 512)
	var deadline time.Time
	for {
		if deadline.IsZero() && ctx.Err() != nil {
			deadline = time.Now().Add(lingerFor)
			s.goodbye()
		}
		if !deadline.IsZero() && (s.open == 0 || time.Now().After(deadline)) {
			break
		}
		if deadline.IsZero() {
			s.dialSome()
		}
		n, err := unix.EpollWait(s.epoll, events, int(tick/time.Millisecond))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for events: %w", err)
		}
		for _, e := range events[:max(0, n)] {
			s.event(int(e.Fd), e.Events)
		}
		s.report()
		select {
		case task := <-s.tasks:
			task()
		default:
		}
	}
	for i := range s.clients {
		if s.clients[i].fd >= 0 {
			s.drop(i, nil)
		}
	}
	return nil
}

// within runs fn on the loop, or here once all loops have ended, and waits.
func (s *shard) within(fn func(*shard)) {
	ran := make(chan struct{})
	select {
	case s.tasks <- func() { defer close(ran); fn(s) }:
		<-ran
	case <-s.fleet.done:
		fn(s)
	}
}

// event acts on what epoll says about client i.
func (s *shard) event(i int, events uint32) {
	c := &s.clients[i]
	if c.fd < 0 {
		return
	}
	if c.phase == dialling {
		s.dialled(i)
		return
	}
	if s.stalling(i) {
		s.drop(i, errStalled)
		return
	}
	if events&unix.EPOLLOUT != 0 {
		s.flush(i)
	}
	if c.fd >= 0 && events&^uint32(unix.EPOLLOUT) != 0 {
		s.read(i)
	}
}

// read takes what one read gives; what is left makes another event.
func (s *shard) read(i int) {
	c := &s.clients[i]
	if len(c.rest) == len(s.buffer) {
		s.buffer = make([]byte, 2*len(s.buffer))
	}
	kept := copy(s.buffer, c.rest)
	n, errno := receive(c.fd, s.buffer[kept:])
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return
	case errno != 0:
		s.drop(i, os.NewSyscallError("read", errno))
		return
	case n == 0:
		s.drop(i, errors.New("the server ended the connection without a close frame"))
		return
	case c.phase == closing:
		return
	}
	all := s.buffer[:kept+n]
	used, err := s.feed(i, all, time.Now().UnixNano())
	if err != nil {
		s.drop(i, err)
		return
	}
	c.rest = append(c.rest[:0], all[used:]...)
	if len(c.out) > 0 {
		s.flush(i)
	}
}

// receive reads from a non-blocking socket. It cannot block, so the scheduler
// need not be told.
func receive(fd int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	return int(n), errno
}

// flush sends what client i has to say, and asks to be told when the socket
// takes more.
func (s *shard) flush(i int) {
	c := &s.clients[i]
	for len(c.out) > 0 {
		n, err := unix.Write(c.fd, c.out)
		if errors.Is(err, unix.EAGAIN) {
			if !c.armed {
				c.armed = true
				s.watch(i, unix.EPOLL_CTL_MOD, unix.EPOLLIN|unix.EPOLLOUT)
			}
			return
		}
		if err != nil {
			s.drop(i, os.NewSyscallError("write", err))
			return
		}
		c.out = c.out[n:]
	}
	c.out = nil
	if c.armed {
		c.armed = false
		s.watch(i, unix.EPOLL_CTL_MOD, unix.EPOLLIN)
	}
}

func (s *shard) watch(i, op int, events uint32) {
	event := unix.EpollEvent{Events: events, Fd: int32(i)}
	if err := unix.EpollCtl(s.epoll, op, s.clients[i].fd, &event); err != nil {
		s.fault(os.NewSyscallError("epoll_ctl", err).Error())
	}
}

// stop makes client i stop reading; only the end of its connection is told.
func (s *shard) stop(i int) { s.watch(i, unix.EPOLL_CTL_MOD, 0) }

// drop closes client i's socket.
func (s *shard) drop(i int, why error) {
	c := &s.clients[i]
	unix.Close(c.fd)
	c.fd = -1
	s.ended(i, why)
}

// goodbye makes every client close in order; those not yet serving just end.
func (s *shard) goodbye() {
	for i := range s.clients {
		c := &s.clients[i]
		if c.fd < 0 {
			continue
		}
		if c.phase != serving || c.stalled {
			s.drop(i, nil)
			continue
		}
		c.phase = closing
		c.out = AppendFrame(c.out, opClose, []byte{1000 >> 8, 1000 & 0xff})
		s.flush(i)
	}
}
