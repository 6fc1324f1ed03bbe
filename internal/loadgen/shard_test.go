package loadgen

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// alone is a shard of one client that has been upgraded, without a loop.
func alone() *shard {
	s := NewFleet(FleetOptions{Clients: 1, Dialect: Holdfast{}}).shards[0]
	s.clients[0].phase = upgrading
	s.clients[0].awaited = 0
	if _, err := s.feed(0, []byte("HTTP/1.1 101 Switching Protocols\r\n\r\n"), 0); err != nil {
		panic(err)
	}
	return s
}

// feedAll feeds p as a loop does that reads at most chunk bytes at once.
func feedAll(s *shard, p []byte, chunk int) error {
	var rest []byte
	for len(p) > 0 {
		n := min(chunk, len(p))
		rest = append(rest, p[:n]...)
		used, err := s.feed(0, rest, 2_000_000_000)
		if err != nil {
			return err
		}
		rest, p = rest[used:], p[n:]
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes were not used", len(rest))
	}
	return nil
}

func message(seq int) []byte {
	data := appendData(nil, uint64(seq), 1_000_000_000, 0, 150)
	return []byte(`{"type":"message","channel":"broadcast","id":"e-` + fmt.Sprint(seq) + `","data":` + string(data) + `}`)
}

func TestShard_ReadsFramesHoweverTheyAreCut(t *testing.T) {
	var stream []byte
	stream = append(stream, serverFrame(opText, []byte(`{"type":"welcome"}`))...)
	stream = append(stream, serverFrame(opText, message(1))...)
	stream = append(stream, serverFrame(opPing, []byte("hello"))...)
	half := message(2)
	first, second := serverFrame(opText, half[:40]), serverFrame(opContinuation, half[40:])
	first[0] &^= 0x80 // not the last of its message
	stream = append(stream, first...)
	stream = append(stream, serverFrame(opPing, nil)...)
	stream = append(stream, second...)
	stream = append(stream, serverFrame(opPong, nil)...)
	stream = append(stream, serverFrame(opText, message(3))...)
	for _, chunk := range []int{1, 2, 3, 7, 64, len(stream)} {
		s := alone()
		if err := feedAll(s, stream, chunk); err != nil {
			t.Fatalf("by %d bytes: %v", chunk, err)
		}
		if s.tally.delivered != 3 || s.tally.lost+s.tally.repeated > 0 || s.counts.ready.Load() != 1 {
			t.Errorf("by %d bytes: delivered %d, ready %d", chunk, s.tally.delivered, s.counts.ready.Load())
		}
		pongs := AppendFrame(AppendFrame(nil, opPong, []byte("hello")), opPong, nil)
		if !bytes.Equal(s.clients[0].out, pongs) {
			t.Errorf("by %d bytes: answered %x, want %x", chunk, s.clients[0].out, pongs)
		}
	}
}

func TestShard_NamesWhatEndsAClient(t *testing.T) {
	for _, c := range []struct {
		frames []byte
		want   string
	}{
		{serverFrame(opClose, []byte{0x0f, 0xa8}), "code 4008"},
		{serverFrame(opClose, nil), "code 1005"},
		{[]byte{0x81, 0x80, 1, 2, 3, 4}, "masked"},
		{[]byte{0xc1, 0}, "reserved bit"},
		{[]byte{0x83, 0}, "unknown kind"},
		{[]byte{0x81, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "bytes"},
	} {
		if err := feedAll(alone(), c.frames, 100); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%x: %v, want one about %q", c.frames, err, c.want)
		}
	}
	for head, want := range map[string]string{
		"HTTP/1.1 403 Forbidden\r\n\r\n":                 "HTTP 403",
		"SSH-2.0-hello\r\n\r\n":                          "not HTTP/1.1",
		"HTTP/1.1 101\r\n" + strings.Repeat("x", 17<<10): "longer than",
	} {
		s := NewFleet(FleetOptions{Clients: 1, Dialect: Holdfast{}}).shards[0]
		s.clients[0].phase = upgrading
		if _, err := s.feed(0, []byte(head), 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v, want one about %q", head, err, want)
		}
	}
}

func TestShard_TakesAMessageWithoutAllocating(t *testing.T) {
	s, seq, buffer := alone(), 0, []byte(nil)
	for range 100 {
		seq++
		buffer = append(buffer, serverFrame(opText, message(seq))...)
	}
	s.latency.Record(time.Second)
	allocations := testing.AllocsPerRun(10, func() {
		s.tally.last[0] = 0
		if used, err := s.feed(0, buffer, 2_000_000_000); err != nil || used != len(buffer) {
			t.Fatalf("used %d of %d: %v", used, len(buffer), err)
		}
	})
	if allocations != 0 {
		t.Errorf("100 messages cost %v allocations", allocations)
	}
}

func BenchmarkFeed(b *testing.B) {
	s := alone()
	var buffer []byte
	for seq := range 256 {
		buffer = append(buffer, serverFrame(opText, message(1_000_000+seq))...)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.tally.last[0] = 999_999
		if _, err := s.feed(0, buffer, 2_000_000_000); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/message")
}

func FuzzShard_Feed(f *testing.F) {
	f.Add(serverFrame(opText, message(1)), uint8(3))
	f.Add([]byte{0x01, 1, '{', 0x80, 1, '}'}, uint8(1))
	f.Add(serverFrame(opClose, []byte{3, 232}), uint8(1))
	f.Fuzz(func(t *testing.T, p []byte, chunk uint8) {
		whole, cut := alone(), alone()
		wholeErr, cutErr := feedAll(whole, p, len(p)+1), feedAll(cut, p, int(chunk)+1)
		if (wholeErr == nil) != (cutErr == nil) || whole.tally.delivered != cut.tally.delivered {
			t.Errorf("whole: %v, %d messages; by %d bytes: %v, %d messages",
				wholeErr, whole.tally.delivered, int(chunk)+1, cutErr, cut.tally.delivered)
		}
	})
}

func FuzzParseNumbers(f *testing.F) {
	f.Add([]byte(`7,"t":1790000000000000000,"lane":3}`))
	f.Add([]byte(`12345678901234567890,"t":1`))
	f.Fuzz(func(t *testing.T, p []byte) {
		m, ok := parseNumbers(p)
		if !ok {
			return
		}
		again := fmt.Sprintf(`%d,"t":%d`, m.seq, uint64(m.sent))
		if m2, ok := parseNumbers([]byte(again)); !ok || m2.seq != m.seq || m2.sent != m.sent {
			t.Errorf("%q is %+v, and %q is %+v", p, m, again, m2)
		}
	})
}

func TestAppendData_IsReadBack(t *testing.T) {
	for _, seq := range []uint64{1, 9, 10, 12345678, 123456789, 1<<63 - 1} {
		for _, size := range []int{0, 60, 61, 62, 128, 5000} {
			data := appendData(nil, seq, 1790000000123456789, 42, size)
			m, ok := parseNumbers(data[len(mark):])
			if !ok || m != (numbers{seq, 1790000000123456789, 42}) {
				t.Errorf("%s is %+v, %v", data, m, ok)
			}
			if size >= 128 && len(data) != size {
				t.Errorf("%d bytes of data, want %d", len(data), size)
			}
		}
	}
}
