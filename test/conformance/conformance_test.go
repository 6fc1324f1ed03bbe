package main

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"testing"
)

// exchange is one case: what a client sends, and what it must get.
type exchange struct {
	name string
	send []byte
	want []reply
	// code is what the server closes with. Where it is 0 the connection must
	// be in order still; the client closes it then.
	code int
	// needs says with which agreement about compression the case makes sense.
	needs agreement
}

type agreement int

const (
	either agreement = iota
	compressed
	plain
)

// start serves echoes until the test is over and returns the address.
func start(t *testing.T, transport string, deflate bool) string {
	t.Helper()
	e, err := newEcho(transport, deflate, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

// everywhere runs f against both transports, with and without compression.
func everywhere(t *testing.T, f func(t *testing.T, address, extensions string)) {
	for _, transport := range []string{transportLoop, transportGoroutine} {
		for _, extensions := range []string{"", "permessage-deflate; client_max_window_bits"} {
			name := transport + "/plain"
			if extensions != "" {
				name = transport + "/deflate"
			}
			t.Run(name, func(t *testing.T) {
				address := start(t, transport, true)
				f(t, address, extensions)
			})
		}
	}
}

// check runs the cases: what each sends arrives at once, and then in pieces.
func check(t *testing.T, cases []exchange, pieces ...int) {
	everywhere(t, func(t *testing.T, address, extensions string) {
		for _, x := range cases {
			if x.needs == compressed && extensions == "" || x.needs == plain && extensions != "" {
				continue
			}
			for _, piece := range slices.Concat([]int{len(x.send) + 1}, pieces) {
				t.Run(x.name, func(t *testing.T) { x.run(t, address, extensions, piece) })
			}
		}
	})
}

func (x exchange) run(t *testing.T, address, extensions string, piece int) {
	c := connect(t, address, extensions)
	sent := make(chan struct{})
	go func() { // the server may want its answers read before it takes more
		defer close(sent)
		c.send(x.send, piece)
	}()
	c.expect(x.want)
	code := x.code
	if code == 0 {
		<-sent
		c.send(closing(1000, ""), 100)
		code = 1000
	}
	c.expectClose(code)
	_ = c.conn.Close()
	<-sent
}

func TestTransports_AreNamed(t *testing.T) {
	if _, err := newEcho("pigeon", true, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("there is a transport called pigeon")
	}
}
