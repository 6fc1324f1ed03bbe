package handover

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"syscall"
	"time"
)

// A message stands in the stream as the length of its payload (4), its kind
// (1), how many descriptors come with it (1), and the payload. The
// descriptors go with the first byte.
const headSize = 6

// socket carries messages over a unix stream socket.
type socket struct {
	conn *net.UnixConn
	buf  []byte
	rest []byte // of buf, not used yet
	oob  []byte
	fds  []int // that came, not used yet
}

func newSocket(conn *net.UnixConn) (deadliner, error) {
	if conn == nil {
		return nil, errors.New("there is no connection")
	}
	return &socket{conn: conn, buf: make([]byte, 64<<10), oob: make([]byte, syscall.CmsgSpace(4*MostDescriptors))}, nil
}

func (s *socket) setDeadline(t time.Time) { _ = s.conn.SetDeadline(t) }

// Close closes the socket and the descriptors that came and were not used.
func (s *socket) Close() error {
	for _, fd := range s.fds {
		_ = syscall.Close(fd)
	}
	s.fds = nil
	return s.conn.Close()
}

// send sends a message. Its descriptors stay the sender's own too.
func (s *socket) send(m message) error {
	if len(m.fds) > MostDescriptors || len(m.payload) > maxPayload {
		return fmt.Errorf("%v with %d descriptors and %d bytes is too much at once", m.kind, len(m.fds), len(m.payload))
	}
	first := m.payload[:min(len(m.payload), 32<<10)]
	b := make([]byte, headSize, headSize+len(first))
	binary.BigEndian.PutUint32(b, uint32(len(m.payload)))
	b[4], b[5] = byte(m.kind), byte(len(m.fds))
	b = append(b, first...)
	var oob []byte
	if len(m.fds) > 0 {
		oob = syscall.UnixRights(m.fds...)
	}
	n, _, err := s.conn.WriteMsgUnix(b, oob, nil)
	if err == nil && n < len(b) {
		_, err = s.conn.Write(b[n:])
	}
	if err == nil && len(first) < len(m.payload) {
		_, err = s.conn.Write(m.payload[len(first):])
	}
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return errLate
		}
		if isGone(err) {
			return errGone
		}
		return fmt.Errorf("%v cannot be sent: %w", m.kind, err)
	}
	return nil
}

// receive returns the next message. io.EOF is for an end between two.
func (s *socket) receive() (m message, err error) {
	var head [headSize]byte
	if err := s.full(head[:]); err != nil {
		return m, err
	}
	m.kind = Kind(head[4])
	size, count := int(binary.BigEndian.Uint32(head[:])), int(head[5])
	if size > maxPayload || count > MostDescriptors {
		return m, fmt.Errorf("a message of %d bytes and %d descriptors", size, count)
	}
	for len(m.payload) < size { // grows by what comes
		from := len(m.payload)
		step := min(size-from, max(len(s.buf), from))
		m.payload = append(m.payload, make([]byte, step)...)
		if err := s.full(m.payload[from:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return m, err
		}
	}
	if len(s.fds) != count {
		return m, fmt.Errorf("%d descriptors came with %v, %d were sent", len(s.fds), m.kind, count)
	}
	m.fds, s.fds = s.fds, nil
	return m, nil
}

// full fills b.
func (s *socket) full(b []byte) error {
	for n := 0; n < len(b); {
		if len(s.rest) == 0 {
			if err := s.more(); err != nil {
				if err == io.EOF && n > 0 {
					return io.ErrUnexpectedEOF
				}
				return err
			}
		}
		k := copy(b[n:], s.rest)
		s.rest = s.rest[k:]
		n += k
	}
	return nil
}

// more receives what there is. The kernel lets one call return the
// descriptors of one message only, and none before the bytes that they came
// with; net sets MSG_CMSG_CLOEXEC.
func (s *socket) more() error {
	if len(s.fds) > 0 {
		// The next bytes may bring others: what is here must not be mixed up.
		return s.plain()
	}
	n, k, flags, _, err := s.conn.ReadMsgUnix(s.buf, s.oob)
	if err == nil && k > 0 {
		err = s.keep(s.oob[:k])
	}
	switch {
	case err != nil && isGone(err):
		return io.EOF
	case err != nil:
		return err
	case flags&syscall.MSG_CTRUNC != 0:
		return errors.New("descriptors were lost on the way: this process may have no more; raise its limit (ulimit -n, LimitNOFILE=)")
	case n == 0:
		return io.EOF
	}
	s.rest = s.buf[:n]
	return nil
}

// plain receives bytes behind those that brought descriptors. A message is
// read to its end before its descriptors are used, so none may come here.
func (s *socket) plain() error {
	n, k, _, _, err := s.conn.ReadMsgUnix(s.buf, s.oob)
	switch {
	case err != nil && isGone(err):
		return io.EOF
	case err != nil:
		return err
	case k > 0:
		return errors.Join(errors.New("descriptors came amid a message"), s.keep(s.oob[:k]))
	case n == 0:
		return io.EOF
	}
	s.rest = s.buf[:n]
	return nil
}

// keep takes the descriptors of control messages.
func (s *socket) keep(oob []byte) error {
	list, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return fmt.Errorf("control messages are damaged: %w", err)
	}
	for i := range list {
		fds, err := syscall.ParseUnixRights(&list[i])
		if err != nil {
			return fmt.Errorf("a control message carries no descriptors: %w", err)
		}
		s.fds = append(s.fds, fds...)
	}
	return nil
}

// isGone reports whether an error says that the other end is closed.
func isGone(err error) bool {
	return errors.Is(err, errGone) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

func closeDescriptor(fd int) error { return syscall.Close(fd) }

// socketPair returns two connected ends; the second one as a descriptor.
func socketPair() (net.Conn, int, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	conn, err := connection(fds[0])
	if err != nil {
		_ = syscall.Close(fds[1])
		return nil, 0, err
	}
	return conn, fds[1], nil
}

// connection makes a connection of a descriptor, which it closes.
func connection(fd int) (*net.UnixConn, error) {
	f := os.NewFile(uintptr(fd), "handover")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, errors.New("it is no unix socket")
	}
	return u, nil
}

// descriptors returns how many this process may have and has.
func descriptors() (limit uint64, open int, err error) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0, 0, fmt.Errorf("the limit of descriptors cannot be read: %w", err)
	}
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0, 0, fmt.Errorf("the open descriptors cannot be counted: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return 0, 0, fmt.Errorf("the open descriptors cannot be counted: %w", err)
	}
	return min(r.Cur, math.MaxInt64), len(names) - 1, nil
}
