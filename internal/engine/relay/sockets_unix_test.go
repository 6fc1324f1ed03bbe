//go:build unix

package relay_test

import (
	"net"
	"os"
	"syscall"
	"testing"

	"holdfast.dev/holdfast/internal/engine/enginetest"
)

// sockets returns the two ends of a pair of unix sockets.
func sockets(t testing.TB) (net.Conn, net.Conn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	var conns [2]net.Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "link")
		if conns[i], err = net.FileConn(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	t.Cleanup(func() { conns[0].Close(); conns[1].Close() })
	return conns[0], conns[1]
}

// TestEngine_FollowingOverSockets runs it over real ones.
func TestEngine_FollowingOverSockets(t *testing.T) {
	f := factory(sockets)
	f.Outside = true
	enginetest.Run(t, f)
}
