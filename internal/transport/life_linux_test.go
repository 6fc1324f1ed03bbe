package transport

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/ws"
)

// pass moves the bench's clock.
func (b *bench) pass(d time.Duration) {
	b.wheel.advance(b.wheel.now+ticks(d), b.expire)
	b.bury()
}

// say sends a client's frame and lets the loop read it.
func (b *bench) say(t *testing.T, client int, bytes []byte) {
	t.Helper()
	if _, err := unix.Write(b.far[client], bytes); err != nil {
		t.Fatal(err)
	}
	b.serve()
}

// serve lets the loop take what events there are.
func (b *bench) serve() {
	for _, e := range b.events[:b.poller.wait(b.events, false)] {
		b.ready(e)
	}
	b.bury()
}

// heard returns what a client was sent since the last call.
func (b *bench) heard(client int) string {
	n, _ := unix.Read(b.far[client], b.scratch)
	return string(b.scratch[:max(n, 0)])
}

func masked(op ws.Opcode, payload string) []byte {
	return ws.AppendMasked(nil, op, [4]byte{9, 8, 7, 6}, []byte(payload))
}

const ping = "\x89\x00"

func TestHeartbeat_PingsAndFindsTheDead(t *testing.T) {
	b := newBench(t, 2, nil) // a heartbeat is a minute
	pings := 0
	for range 10 {
		b.pass(time.Minute)
		pings += strings.Count(b.heard(0), ping)
		b.say(t, 0, masked(ws.Pong, ""))
	}
	if pings < 9 || pings > 11 {
		t.Errorf("%d pings in 10 heartbeats", pings)
	}
	if b.table.used != 1 || b.gate.Open() != 1 {
		t.Errorf("%d conns are left; the one that answered should be the only one", b.table.used)
	}
}

func TestHeartbeat_IsSpreadOverTheInterval(t *testing.T) {
	b := newBench(t, 200, nil)
	first, second := 0, 0
	b.pass(30 * time.Second)
	for i := range b.far {
		first += strings.Count(b.heard(i), ping)
	}
	b.pass(30 * time.Second)
	for i := range b.far {
		second += strings.Count(b.heard(i), ping)
	}
	if first < 50 || second < 50 || first+second < 190 {
		t.Errorf("%d pings in the first half of the interval, %d in the second", first, second)
	}
}

func TestUnfinishedMessage_IsGivenTwoHeartbeats(t *testing.T) {
	b := newBench(t, 1, nil)
	b.say(t, 0, masked(ws.Text, `{"type":"ping"}`)[:9])
	if b.gate.held.Load() == 0 {
		t.Error("the bytes held are not counted")
	}
	for range 4 {
		b.pass(50 * time.Second)
		if b.table.used == 0 {
			break
		}
		b.table.at(0).heard = b.wheel.now // bytes trickle in, so it counts as alive
	}
	if got := b.heard(0); !strings.Contains(got, "not finished") {
		t.Errorf("the client was sent %q", got)
	}
	b.pass(time.Minute)
	if b.table.used != 0 || b.gate.held.Load() != 0 {
		t.Errorf("%d conns are left, %d bytes held", b.table.used, b.gate.held.Load())
	}
}

func TestClose_IsAnsweredAndThenWaitsForTheClient(t *testing.T) {
	b := newBench(t, 1, nil)
	b.say(t, 0, masked(ws.Close, "\x03\xe8"))
	if got := b.heard(0); got != "\x88\x02\x03\xe8" {
		t.Errorf("answered %q", got)
	}
	if b.table.used != 1 {
		t.Error("the connection was closed before the client had its turn")
	}
	_ = unix.Shutdown(b.far[0], unix.SHUT_WR)
	b.serve()
	if b.table.used != 0 {
		t.Error("the connection outlives both ends")
	}
}

func TestClose_DoesNotWaitForEver(t *testing.T) {
	b := newBench(t, 1, nil)
	b.end(b.table.at(0), restart())
	b.say(t, 0, masked(ws.Text, strings.Repeat("x", 1000))) // it does not listen
	b.pass(flushTime + lingerTime)
	if b.table.used != 0 {
		t.Error("a client that does not close keeps its place")
	}
}

func TestClose_AndFinInOneSegment(t *testing.T) {
	b := newBench(t, 1, nil)
	if _, err := unix.Write(b.far[0], masked(ws.Close, "\x03\xe8")); err != nil {
		t.Fatal(err)
	}
	_ = unix.Shutdown(b.far[0], unix.SHUT_WR)
	for range 3 {
		b.serve()
	}
	if got := b.heard(0); got != "\x88\x02\x03\xe8" || b.table.used != 0 {
		t.Errorf("answered %q, %d conns left", got, b.table.used)
	}
}

func TestEvent_ForAnEarlierConnOfTheSlotIsIgnored(t *testing.T) {
	b := newBench(t, 1, nil)
	c := b.table.at(0)
	stale := event{unix.EPOLLIN, c.slot, int32(c.generation)}
	b.doom(c)
	b.bury()
	b.add(t)
	if b.table.at(0).state != open {
		t.Fatal("the slot was not used again")
	}
	_ = unix.Shutdown(b.far[1], unix.SHUT_WR) // reading now would end it
	b.ready(stale)
	if b.table.at(0).state != open {
		t.Error("an event for the conn before ended this one")
	}
}

func TestReplies_ThatNobodyReadsAreBounded(t *testing.T) {
	b := newBench(t, 1, func(p *session.Policy, l *Limits) {
		l.MaxLag = 64 << 10
		p.FramesPerSecond, p.FrameBurst = 1<<20, 1<<20
	})
	for range 100_000 {
		if b.table.at(0).state != open {
			break
		}
		b.say(t, 0, masked(ws.Text, `{"type":"ping","request":"`+strings.Repeat("x", 200)+`"}`))
	}
	if c := b.table.at(0); c.state == open {
		t.Errorf("%d bytes wait for a client that reads nothing", c.out.lag)
	}
}
