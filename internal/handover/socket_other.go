//go:build !linux

package handover

import (
	"errors"
	"net"
)

// ErrUnsupported says that this system has no handover.
var ErrUnsupported = errors.New("a handover is not supported on this system; drain instead")

func newSocket(conn *net.UnixConn) (deadliner, error) {
	if conn != nil {
		conn.Close()
	}
	return nil, ErrUnsupported
}

func isGone(err error) bool                       { return errors.Is(err, errGone) }
func closeDescriptor(int) error                   { return nil }
func socketPair() (net.Conn, int, error)          { return nil, 0, ErrUnsupported }
func connection(int) (*net.UnixConn, error)       { return nil, ErrUnsupported }
func descriptors() (limit uint64, n int, e error) { return 0, 0, ErrUnsupported }

// Inherited returns nil: nothing is handed over on this system.
func Inherited() (*net.UnixConn, error) { return nil, nil }

// Start returns ErrUnsupported.
func Start(Command) (*Child, error) { return nil, ErrUnsupported }
