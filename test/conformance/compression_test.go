package main

import (
	"bytes"
	"compress/flate"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// squeezed is a compressed message.
func squeezed(op byte, p []byte) []byte {
	return frame(fin|rsv1|op, deflate(flate.DefaultCompression, p))
}

func TestCompression_EverySizeComesBack(t *testing.T) {
	chance := rand.New(rand.NewPCG(12, 1))
	var cases []exchange
	for _, n := range []int{0, 1, 16, 256, 1 << 10, 16 << 10, 128 << 10} {
		prose := bytes.Repeat([]byte(`{"sensor":"north","value":21.5} `), n/32+1)[:n]
		noise := make([]byte, n)
		for i := range noise {
			noise[i] = byte(chance.Uint32())
		}
		for _, level := range []int{flate.NoCompression, flate.HuffmanOnly, 1, 6, 9} {
			cases = append(cases,
				exchange{name: fmt.Sprintf("%d bytes of text at level %d", n, level), send: frame(fin|rsv1|opText, deflate(level, prose)), want: []reply{{op: opText, data: prose}}, needs: compressed},
				exchange{name: fmt.Sprintf("%d bytes of noise at level %d", n, level), send: frame(fin|rsv1|opBinary, deflate(level, noise)), want: []reply{{op: opBinary, data: noise}}, needs: compressed})
		}
	}
	check(t, cases)
}

func TestCompression_FragmentsAndMixtures(t *testing.T) {
	p := bytes.Repeat([]byte("compressed in fragments "), 100)
	packed := deflate(flate.BestSpeed, p)
	third := len(packed) / 3
	ping := frame(fin|opPing, []byte("p"))
	whole := reply{op: opText, data: p}
	check(t, []exchange{
		{name: "three fragments with pings", send: slices.Concat(
			frame(rsv1|opText, packed[:third]), ping, frame(opContinuation, packed[third:2*third]), ping, frame(fin|opContinuation, packed[2*third:])),
			want: []reply{pong("p"), pong("p"), whole}, needs: compressed},
		{name: "empty last fragment", send: slices.Concat(frame(rsv1|opText, packed), frame(fin|opContinuation, nil)), want: []reply{whole}, needs: compressed},
		{name: "now and then", send: slices.Concat(text("hello"), squeezed(opText, p), text("hello")), want: []reply{hello, whole, hello}, needs: compressed},
		{name: "in a final block", send: frame(fin|rsv1|opText, finalBlock(p)), want: []reply{whole}, needs: compressed},
		{name: "RSV1 on a continuation", send: slices.Concat(frame(rsv1|opText, packed[:third]), frame(fin|rsv1|opContinuation, packed[third:])), code: 1002},
		{name: "RSV1 on a ping", send: frame(fin|rsv1|opPing, nil), code: 1002},
		{name: "what does not inflate", send: frame(fin|rsv1|opBinary, []byte{0xff, 0xff, 0xff, 0xff}), code: 1007, needs: compressed},
		{name: "a bomb", send: squeezed(opBinary, make([]byte, 8*maxMessage)), code: 1009, needs: compressed},
	}, 1009)
}

// finalBlock compresses as a sender may that ends each message's stream (RFC
// 7692, section 7.2.3.4).
func finalBlock(p []byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = w.Write(p)
	_ = w.Close()
	return append(b.Bytes(), 0)
}

func TestCompression_EchoesAreCompressed(t *testing.T) {
	everywhere(t, func(t *testing.T, address, extensions string) {
		for _, op := range []byte{opText, opBinary} {
			c := connect(t, address, extensions)
			p := bytes.Repeat([]byte("again and "), 100)
			c.send(frame(fin|op, p), 1<<20)
			r, _ := c.read()
			if !bytes.Equal(r.data, p) || r.compressed != (extensions != "") {
				t.Errorf("%v came back, compressed: %v", r, r.compressed)
			}
		}
	})
}
