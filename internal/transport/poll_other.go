//go:build !linux

package transport

import "net"

// poller only waits to be woken: where there is no event loop for sockets,
// every session has a stream.
type poller struct{ bell chan struct{} }

type event struct{}

func (event) conn() (slot int32, generation uint32) { return 0, 0 }
func (event) readable() bool                        { return false }
func (event) writable() bool                        { return false }

func newPoller() (*poller, error) { return &poller{bell: make(chan struct{}, 1)}, nil }

func (p *poller) wait(_ []event, block bool) int {
	if block {
		<-p.bell
	}
	return 0
}

func (p *poller) wake() {
	select {
	case p.bell <- struct{}{}:
	default:
	}
}

func (p *poller) add(int32, int32, uint32) error   { return errNotDetachable }
func (p *poller) watch(int32, int32, uint32, bool) {}
func (p *poller) remove(int32)                     {}
func (p *poller) forget(int32)                     {}
func (p *poller) close()                           {}

func closeDescriptor(int32) {}

func detach(net.Conn) (int32, error) { return -1, errNotDetachable }

func send(int32, []byte) (int, error)    { return 0, errNotDetachable }
func receive(int32, []byte) (int, error) { return 0, errNotDetachable }
func shutdown(int32)                     {}
