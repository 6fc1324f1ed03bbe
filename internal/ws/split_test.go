package ws

import (
	"bytes"
	"cmp"
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the random conversations; 0 takes a new one")

// cut cuts b into random pieces, some of them empty, each in memory of its own.
func cut(b []byte, random *rand.Rand) [][]byte {
	var pieces [][]byte
	most := 1 + random.IntN(40)
	for len(b) > 0 {
		n := min(random.IntN(most+1), len(b))
		pieces = append(pieces, bytes.Clone(b[:n]))
		b = b[n:]
	}
	return pieces
}

// samePieces checks that what a Reader makes of the input does not depend on
// how it is cut, and that it holds no more than it may, and returns it.
func samePieces(t *testing.T, in []byte, lim Limits, random *rand.Rand) []string {
	t.Helper()
	var r Reader
	whole := record(&r, lim, bytes.Clone(in))
	unfinished := r.Unfinished()
	for way, pieces := range map[string][][]byte{"bytewise": bytewise(in), "random pieces": cut(in, random)} {
		var r Reader
		got := record(&r, lim, pieces...)
		if !slices.Equal(got, whole) {
			t.Fatalf("% x\nwhole: %q\n%s: %q", in, whole, way, got)
		}
		if r.Unfinished() != unfinished || (r.Held() > 0) != unfinished {
			t.Fatalf("% x\nwhole: Unfinished %v\n%s: Unfinished %v, Held %d", in, unfinished, way, r.Unfinished(), r.Held())
		}
		if most := unfinishedSize + min(2*len(in), lim.maxDeflated()); r.Held() > most {
			t.Fatalf("% x\n%s: %d bytes held, want at most %d", in, way, r.Held(), most)
		}
	}
	return whole
}

func TestReader_DoesNotCareHowItsInputIsCut(t *testing.T) {
	seed := cmp.Or(*seedFlag, rand.Uint64())
	t.Logf("to see the same again: go test -run %s -seed %d", t.Name(), seed)
	random := rand.New(rand.NewPCG(seed, 0))
	ends := map[string]int{}
	for range 1500 {
		lim := Limits{MaxMessage: 1 << (4 + random.IntN(8)), Deflate: random.IntN(2) == 0, Client: random.IntN(8) == 0}
		in := conversation(random, lim)
		got := samePieces(t, in, lim, random)
		end := "all whole"
		if len(got) > 0 && strings.HasPrefix(got[len(got)-1], "error") {
			end = got[len(got)-1][:len("error 1002")]
		}
		ends[end]++
	}
	t.Logf("conversations by their end: %v", ends)
	for _, end := range []string{"all whole", "error 1002", "error 1007", "error 1009"} {
		if ends[end] == 0 {
			t.Errorf("no conversation ended with %s", end)
		}
	}
}

// conversation makes a few frames, mostly good ones.
func conversation(random *rand.Rand, lim Limits) []byte {
	var b []byte
	inMessage, packed := false, false
	for range 1 + random.IntN(12) {
		op := []Opcode{Text, Text, Binary, Ping, Pong, Close}[min(random.IntN(12)%6, random.IntN(10))]
		if inMessage && !op.control() {
			op = Continuation
		}
		fin := op.control() || random.IntN(2) == 0
		payload := text(random, random.IntN(lim.MaxMessage/3+1))
		first := byte(op)
		if lim.Deflate && (op == Text || op == Binary) {
			if packed = random.IntN(2) == 0; packed {
				first |= bitRSV1
				payload = Deflate(nil, payload)
			}
		}
		if op == Continuation && packed && fin {
			payload = []byte{0}
		}
		switch op {
		case Close:
			payload = append([]byte{3, 0xe8 + byte(random.IntN(5))}, payload[:min(len(payload), 80)]...)
		case Ping, Pong:
			payload = payload[:min(len(payload), maxControl)]
		}
		if fin {
			first |= bitFin
		}
		start := len(b)
		if lim.Client {
			b = AppendFrame(b, op, payload)
		} else {
			b = AppendMasked(b, op, [4]byte{byte(random.Uint32()), 1, 2, 3}, payload)
		}
		b[start] = first
		if !op.control() {
			inMessage = !fin
		}
	}
	if random.IntN(3) == 0 {
		b[random.IntN(len(b))] ^= 1 << random.IntN(8)
	}
	return b
}

// text makes about n bytes of UTF-8, seldom not quite valid.
func text(random *rand.Rand, n int) []byte {
	var b []byte
	for len(b) < n {
		b = append(b, []string{"a", "é", "€", "𝄞", "test"}[random.IntN(5)]...)
	}
	if random.IntN(20) == 0 && len(b) > 0 {
		b[random.IntN(len(b))] = byte(random.Uint32())
	}
	return b
}
