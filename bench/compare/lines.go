package main

import (
	"bytes"
	"net"
	"net/netip"

	"holdfast.dev/holdfast/internal/loadgen"
)

// plain is the dialect of the servers that are nothing but a broadcast: a
// welcome, then the data of each message in a text frame of its own.
type plain struct{ host string }

func (p plain) Request(int) []byte         { return loadgen.Upgrade(p.host, "/ws") }
func (p plain) Greeting(int) ([]byte, int) { return nil, 1 }

func (p plain) Decode(payload []byte, to *loadgen.Sink) int {
	if bytes.HasPrefix(payload, []byte(`{"type":"welcome"`)) {
		to.Answer()
	} else {
		to.Message(payload)
	}
	return len(payload)
}

// lines publishes by lines on a control port: the data alone.
type lines struct{ net.Conn }

func dialLines(control netip.AddrPort) (loadgen.Publisher, error) {
	conn, err := net.Dial("tcp", control.String())
	return lines{conn}, err
}

func (l lines) Append(dst []byte, _ string, data []byte) []byte {
	return append(append(dst, data...), '\n')
}
