package transport

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// poller watches a loop's descriptors by epoll, level-triggered. The epoll
// descriptor itself is watched by Go's own poller, so a loop that waits holds
// no thread and no processor.
type poller struct {
	file *os.File
	raw  syscall.RawConn
	fd   int
	bell int // an eventfd that others ring
	bits []unix.EpollEvent
}

// event is one readiness. The conn is named by slot and generation, never by
// descriptor: the number may mean another connection by now.
type event struct {
	bits             uint32
	slot, generation int32
}

const (
	bellSlot  = -1
	readBits  = unix.EPOLLIN | unix.EPOLLRDHUP
	faultBits = unix.EPOLLERR | unix.EPOLLHUP
)

func (e event) conn() (slot int32, generation uint32) { return e.slot, uint32(e.generation) }
func (e event) readable() bool                        { return e.bits&(readBits|faultBits) != 0 }
func (e event) writable() bool                        { return e.bits&unix.EPOLLOUT != 0 }

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	p := &poller{fd: fd, bell: -1, bits: make([]unix.EpollEvent, maxEvents)}
	err = unix.SetNonblock(fd, true)
	p.file = os.NewFile(uintptr(fd), "epoll")
	if err == nil {
		p.raw, err = p.file.SyscallConn()
	}
	if err == nil {
		p.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	}
	if err == nil {
		err = p.control(unix.EPOLL_CTL_ADD, int32(p.bell), bellSlot, 0, unix.EPOLLIN)
	}
	if err != nil {
		p.close()
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return p, nil
}

// wait fills events and returns how many there are. If there are none and
// block is set, it waits for one, or for wake.
func (p *poller) wait(events []event, block bool) int {
	n := p.poll()
	if n == 0 && block {
		_ = p.raw.Read(func(uintptr) bool {
			n = p.poll()
			return n > 0
		})
	}
	kept := 0
	for _, e := range p.bits[:n] {
		if e.Fd == bellSlot {
			var count [8]byte
			_, _ = unix.Read(p.bell, count[:])
			continue
		}
		events[kept] = event{e.Events, e.Fd, e.Pad}
		kept++
	}
	return kept
}

func (p *poller) poll() int {
	for {
		n, err := unix.EpollWait(p.fd, p.bits, 0)
		if err != unix.EINTR {
			return max(n, 0)
		}
	}
}

// wake makes wait return. It may be called from any goroutine.
func (p *poller) wake() {
	one := [8]byte{1} // any count but 0 rings it
	_, _ = unix.Write(p.bell, one[:])
}

func (p *poller) control(op int, fd, slot int32, generation uint32, bits uint32) error {
	return unix.EpollCtl(p.fd, op, int(fd), &unix.EpollEvent{Events: bits, Fd: slot, Pad: int32(generation)})
}

// add watches a descriptor for something to read.
func (p *poller) add(fd, slot int32, generation uint32) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, slot, generation, readBits)
}

// watch says whether the descriptor is watched for room to write as well.
func (p *poller) watch(fd, slot int32, generation uint32, writes bool) {
	bits := uint32(readBits)
	if writes {
		bits |= unix.EPOLLOUT
	}
	_ = p.control(unix.EPOLL_CTL_MOD, fd, slot, generation, bits)
}

// remove closes a descriptor and watches it no more.
func (p *poller) remove(fd int32) {
	_ = p.control(unix.EPOLL_CTL_DEL, fd, 0, 0, 0)
	_ = unix.Close(int(fd))
}

// forget watches a descriptor no more and leaves it open.
func (p *poller) forget(fd int32) { _ = p.control(unix.EPOLL_CTL_DEL, fd, 0, 0, 0) }

func closeDescriptor(fd int32) { _ = unix.Close(int(fd)) }

func (p *poller) close() {
	if p.bell >= 0 {
		_ = unix.Close(p.bell)
	}
	_ = p.file.Close()
}
