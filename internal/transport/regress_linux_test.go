package transport

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

func (b *bench) step() {
	for _, e := range b.events[:b.poller.wait(b.events, false)] {
		b.ready(e)
	}
	b.runJobs()
	b.offer()
	b.bury()
}

func writeAll(t *testing.T, b *bench, fd int, p []byte) {
	for len(p) > 0 {
		n, err := unix.Write(fd, p)
		if n > 0 {
			p = p[n:]
		}
		if err == unix.EAGAIN {
			b.step()
		} else if err != nil {
			t.Fatal(err)
		}
	}
	b.step()
}

// frames parses what a client was sent: the opcodes, the close code, and what
// is wrong with it.
func frames(t *testing.T, p []byte) (ops []ws.Opcode, code int, bad string) {
	for len(p) > 0 {
		if p[0]&0x80 == 0 || p[0]&0x30 != 0 {
			return ops, code, fmt.Sprintf("garbage header %x after %d frames", p[:min(8, len(p))], len(ops))
		}
		if len(p) < 2 || len(p) < headerSize(p) {
			return ops, code, fmt.Sprintf("cut in a header after %d frames", len(ops))
		}
		h := headerSize(p)
		n := int(p[1])
		if h == 4 {
			n = int(binary.BigEndian.Uint16(p[2:]))
		} else if h == 10 {
			n = int(binary.BigEndian.Uint64(p[2:]))
		}
		op := ws.Opcode(p[0] & 15)
		if len(p) < h+n {
			return ops, code, fmt.Sprintf("cut in a %v frame of %d with %d bytes there, after %d frames; tail %q", op, n, len(p)-h, len(ops), p[max(h, len(p)-60):])
		}
		ops = append(ops, op)
		if op == ws.Close && n >= 2 {
			code = int(binary.BigEndian.Uint16(p[h:]))
		}
		p = p[h+n:]
	}
	return ops, code, ""
}

func drainFD(b *bench, fd int) (all []byte) {
	buf := make([]byte, 64<<10)
	for range 100000 {
		n, err := unix.Read(fd, buf)
		if n > 0 {
			all = append(all, buf[:n]...)
			b.step()
			continue
		}
		if err == unix.EAGAIN {
			b.step()
			if n, _ := unix.Read(fd, buf); n > 0 {
				all = append(all, buf[:n]...)
				continue
			}
			return all
		}
		return all
	}
	return all
}

func TestClose_WaitsForTheReplyThatIsHalfSent(t *testing.T) {
	b := newBench(t, 1, func(p *session.Policy, l *Limits) { p.FramesPerSecond, p.FrameBurst, l.MaxLag = 1e6, 1e6, 64<<10 })
	fd := b.far[0]
	_ = unix.SetsockoptInt(int(b.table.at(0).fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 8<<10)
	// pings with a long mark: pongs of ~230 bytes, never read at first
	mark := strings.Repeat("m", 200)
	ping := ws.AppendMasked(nil, ws.Text, [4]byte{1, 2, 3, 4}, []byte(`{"type":"ping","request":"`+mark+`"}`))
	c := b.table.at(0)
	var got []byte
	for i := 0; c.state == open && i < 5000; i++ {
		writeAll(t, b, fd, ping)
		if i%7 == 0 && c.out != nil { // reads a little, now and then
			buf := make([]byte, 701)
			n, _ := unix.Read(fd, buf)
			if n > 0 {
				got = append(got, buf[:n]...)
			}
			b.step()
		}
	}
	got = append(got, drainFD(b, fd)...)
	_, code, bad := frames(t, got)
	if code != 4008 || bad != "" {
		t.Errorf("client does not see 4008: code %d; %s", code, bad)
	}
}

func TestClose_IsAnsweredWhateverTheRate(t *testing.T) {
	b := newBench(t, 1, func(p *session.Policy, _ *Limits) { p.FramesPerSecond, p.FrameBurst = 10, 20 })
	fd := b.far[0]
	var p []byte
	for range 30 {
		p = ws.AppendMasked(p, ws.Text, [4]byte{1, 2, 3, 4}, []byte(`{"type":"ping"}`))
	}
	p = ws.AppendMasked(p, ws.Close, [4]byte{1, 2, 3, 4}, []byte{0x03, 0xe8})
	writeAll(t, b, fd, p)
	_, code, bad := frames(t, drainFD(b, fd))
	if code != 1000 {
		t.Errorf("close got no answer: code %d %s, state %d", code, bad, b.table.at(0).state)
	}
}

func TestUnfinishedMessage_OfABusyClientEndsWithEachWholeOne(t *testing.T) {
	b := newBench(t, 1, nil) // heartbeat 1 min
	fd := b.far[0]
	msg := ws.AppendMasked(nil, ws.Text, [4]byte{1, 2, 3, 4}, []byte(`{"type":"ping"}`))
	writeAll(t, b, fd, msg[:5])
	for sec := range 200 { // one whole message a second, never at the end of a piece
		b.clock = b.start.Add(time.Duration(sec) * time.Second)
		b.wheel.advance(b.tick(), b.expire)
		writeAll(t, b, fd, append(append([]byte{}, msg[5:]...), msg[:5]...))
		if s := b.table.at(0).state; s != open {
			_, code, _ := frames(t, drainFD(b, fd))
			t.Fatalf("closed with %d after %d s, though every message was finished within a second", code, sec)
		}
	}
}

func TestHeartbeat_APauseOfTheProcessIsNobodysSilence(t *testing.T) {
	b := newBench(t, 3, nil) // heartbeat 1 min
	// The process is stopped for 4 minutes, clients have sent pongs meanwhile.
	pong := ws.AppendMasked(nil, ws.Pong, [4]byte{1, 2, 3, 4}, nil)
	for _, fd := range b.far {
		_, _ = unix.Write(fd, pong)
	}
	b.clock = b.start.Add(4 * time.Minute)
	for _, e := range b.events[:b.poller.wait(b.events, false)] {
		b.ready(e)
	}
	b.runJobs()
	b.offer()
	b.wheel.advance(b.tick(), b.expire)
	b.bury()
	if b.table.used != 3 {
		t.Errorf("%d of 3 sessions survive a pause, all of which were just heard from", b.table.used)
	}
}

func TestLoop_AtRestHoldsNoLog(t *testing.T) {
	a := newBench(t, 1, nil)
	other := newBench(t, 0, nil)
	other.Setup.Hub = a.Hub // a second loop of the same hub
	join := func(b *bench, i int) {
		writeAllQ(b, b.far[i], `{"type":"subscribe","channel":"x"}`)
	}
	other.add(t)
	join(a, 0)
	join(other, 0)
	pub := func(n int) {
		_, _ = a.Hub.Publish(context.Background(), wire.Publication{Channel: "x", Data: bytes.Repeat([]byte("1"), n)})
	}
	pub(10)
	a.step() // other is a little later
	// a's session leaves; a has nothing more to do
	writeAllQ(a, a.far[0], `{"type":"unsubscribe","channel":"x"}`)
	a.swallow()
	// other serves x, always with something new before it settles
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 2000 {
		pub(10000)
		other.runJobs()
		// a publish arrives between take and settle
		f := other.feeds.pop()
		w := 1000
		if f.Next == nil {
			b, _ := f.Take()
			other.begin(f, b)
		}
		pub(10000)
		other.Loop.advance(f, &w)
		other.swallow()
		if other.table.at(0).state != open {
			t.Fatal("closed")
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	if grown > 8<<20 {
		t.Errorf("heap grew by %d MiB over 4000 messages of 10 kB", grown>>20)
	}
	runtime.KeepAlive(a)
}

func writeAllQ(b *bench, fd int, text string) {
	_, _ = unix.Write(fd, ws.AppendMasked(nil, ws.Text, [4]byte{1, 2, 3, 4}, []byte(text)))
	b.step()
}

func TestGreeting_IsWholeHoweverSmallTheLag(t *testing.T) {
	b := newBench(t, 0, func(_ *session.Policy, l *Limits) { l.MaxLag = 4 << 10 })
	pair, _ := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	b.far = append(b.far, pair[1])
	b.gate.open++
	var ch []string
	for i := range 100 {
		ch = append(ch, fmt.Sprintf("channel-%d", i))
	}
	b.admit(&arrival{fd: int32(pair[0]), response: []byte("HTTP/1.1 101 Switching Protocols\r\n\r\n"), wants: wanted(ch, "")})
	got := drainFD(b, pair[1])
	if !bytes.HasPrefix(got, []byte("HTTP/1.1 101")) {
		t.Errorf("the client's first bytes: %q", got[:min(40, len(got))])
	}
}

// TestRestart_TellsEvenWhoTakesTooLong ends a session that has more due than
// its client takes in time: the rest is given up, the close frame is not.
func TestRestart_TellsEvenWhoTakesTooLong(t *testing.T) {
	b := newBench(t, 1, nil)
	for range 40 {
		_, _ = b.Hub.Publish(t.Context(), wire.Publication{Channel: wire.Broadcast, Data: bytes.Repeat([]byte("1"), 10_000)})
	}
	b.step()
	b.endSome(1)
	b.pass(flushTime)
	if b.Undelivered.Load() == 0 {
		t.Error("nothing is counted as undelivered")
	}
	if _, code, bad := frames(t, drainFD(b, b.far[0])); code != 1012 || bad != "" {
		t.Errorf("close code %d; %s", code, bad)
	}
}
