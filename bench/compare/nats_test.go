package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/loadgen"
)

// NATS messages reach a client in frames cut anywhere; all must be found, and
// the server's PING answered.
func TestNATS_FindsMessagesHoweverTheyAreCut(t *testing.T) {
	stream := "INFO {}\r\nPONG\r\nMSG bench 1 18\r\n{\"seq\":1,\"t\":1000}\n\r\nPING\r\nMSG bench 1 18\r\n{\"seq\":2,\"t\":2000}\n\r\n"
	for _, cut := range []int{1, 5, 17, len(stream)} {
		answered, checked := make(chan string, 1), make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\n\r\n"))
			for rest := stream; rest != ""; {
				n := min(cut, len(rest))
				conn.Write(append([]byte{0x82, byte(n)}, rest[:n]...))
				rest = rest[n:]
			}
			answered <- readUntil(conn, "PONG\r\n")
			<-checked
		}))
		fleet := loadgen.NewFleet(loadgen.FleetOptions{
			Address: netip.MustParseAddrPort(server.Listener.Addr().String()), Dialect: natsDialect{"x"}, Clients: 1,
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- fleet.Run(ctx) }()
		if err := fleet.Connected(ctx); err != nil {
			t.Errorf("cut by %d: %v", cut, err)
		}
		fleet.Expect(2)
		if err := fleet.Await(ctx); err != nil {
			t.Errorf("cut by %d: %v", cut, err)
		}
		if got := fleet.Totals(); got.Delivered != 2 || got.Lost+got.Repeated > 0 {
			t.Errorf("cut by %d: %+v, %v", cut, got, fleet.Faults())
		}
		if got := <-answered; !strings.HasSuffix(got, "PONG\r\n") {
			t.Errorf("cut by %d: the client sent %q", cut, got)
		}
		close(checked)
		cancel()
		<-ended
		server.Close()
	}
}

func readUntil(conn net.Conn, end string) (got string) {
	buf := make([]byte, 1024)
	for !strings.HasSuffix(got, end) {
		n, err := conn.Read(buf)
		if err != nil {
			break
		}
		got += string(buf[:n])
	}
	return got
}
