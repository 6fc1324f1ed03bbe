// Command nats runs nats-server with its WebSocket door, without TLS and
// without compression, and prints "ws ADDRESS control ADDRESS"; the control
// port is that of ordinary NATS clients.
package main

import (
	"fmt"
	"log"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

func main() {
	log.SetFlags(0)
	opts := &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT,
		NoLog: true, NoSigs: true,
		PingInterval: 25 * time.Second,
		Websocket:    server.WebsocketOpts{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoTLS: true},
	}
	s, err := server.NewServer(opts)
	if err != nil {
		log.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		log.Fatal("nats-server did not get ready")
	}
	fmt.Println("ws", fmt.Sprintf("127.0.0.1:%d", opts.Websocket.Port), "control", s.Addr())
	s.WaitForShutdown()
}
