//go:build linux

package test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// cutter is a way to a server that can be cut.
type cutter struct {
	address string

	mu    sync.Mutex
	conns []*net.TCPConn // guarded by mu
	shut  bool           // guarded by mu
}

// newCutter returns a way to a server that lets everything through until it
// is cut.
func newCutter(t *testing.T, target string) *cutter {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{address: ln.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil {
				_ = near.Close()
				continue
			}
			if !c.add(near.(*net.TCPConn), far.(*net.TCPConn)) {
				continue
			}
			wg.Go(func() { pass(near, far) })
			wg.Go(func() { pass(far, near) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		c.mu.Lock()
		c.shut = true
		c.mu.Unlock()
		c.cut()
		wg.Wait()
	})
	return c
}

// pass copies until one side ends, and ends the other.
func pass(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.(*net.TCPConn).CloseWrite()
}

func (c *cutter) add(conns ...*net.TCPConn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		for _, conn := range conns {
			_ = conn.Close()
		}
		return false
	}
	c.conns = append(c.conns, conns...)
	return true
}

// cut resets all connections, both ways, wherever they are.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.SetLinger(0)
		_ = conn.Close()
	}
	c.conns = nil
}
