package transport

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"

	"holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// bench is one loop that a test moves by hand, with clients on socket pairs.
type bench struct {
	*Loop
	far []int // the clients' ends
}

func newBench(t testing.TB, clients int, adjust func(*session.Policy, *Limits)) *bench {
	t.Helper()
	h := hub.New()
	s := &Server{Setup: Setup{
		Hub: h, Policy: newPolicy(h), Limits: Limits{MaxSessions: 1 << 20, MaxConnectRate: 1 << 20, MaxLag: 1 << 20},
		Logger: slog.New(slog.DiscardHandler), Ended: func(wire.CloseCode) {},
	}}
	if adjust != nil {
		adjust(s.Policy, &s.Limits)
	}
	s.gate.init(s.Limits)
	l, err := newLoop(s)
	if err != nil {
		t.Fatal(err)
	}
	h.Use(memory.New(h), nil)
	b := &bench{Loop: l}
	for range clients {
		b.add(t)
	}
	t.Cleanup(func() {
		for _, fd := range b.far {
			_ = unix.Close(fd)
		}
		l.abandon()
		l.bury()
		l.poller.close()
	})
	return b
}

func (b *bench) add(t testing.TB) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	b.far = append(b.far, pair[1])
	b.gate.open++
	b.admit(&arrival{fd: int32(pair[0])})
	b.read(pair[1])
}

// swallow reads all that the clients were sent and returns how much.
func (b *bench) swallow() (bytes int) {
	for _, fd := range b.far {
		bytes += b.read(fd)
	}
	return bytes
}

func (b *bench) read(fd int) (bytes int) {
	for {
		n, err := unix.Read(fd, b.scratch)
		if n <= 0 || err != nil {
			return bytes
		}
		bytes += n
	}
}

// round publishes and offers as the running loop would.
func (b *bench) round(p wire.Publication, messages int) {
	for range messages {
		_, _ = b.Hub.Publish(context.Background(), p)
	}
	b.runJobs()
	for b.feeds.len() > 0 {
		b.offer()
	}
}

func TestFanout_AllocatesNothingPerDelivery(t *testing.T) {
	allocs := func(clients int) float64 {
		b := newBench(t, clients, nil)
		p := wire.Publication{Channel: wire.Broadcast, Data: make([]byte, 128)}
		for i := range p.Data {
			p.Data[i] = '1'
		}
		return testing.AllocsPerRun(50, func() {
			b.round(p, 10)
			b.swallow()
		})
	}
	if few, many := allocs(1), allocs(200); many > few+1 {
		t.Errorf("10 messages cost %v allocations for 1 client and %v for 200", few, many)
	}
}

// TestFanout_InTurnsLosesAndRepeatsNothing has clients join, leave, stall and
// read while many more messages than fit are under way.
func TestFanout_InTurnsLosesAndRepeatsNothing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	b := newBench(t, 3, func(_ *session.Policy, l *Limits) { l.MaxLag = 1 << 30 })
	joined := make([]int, len(b.far)) // how many were published before each client joined; it sees all later ones
	next := make([]int, len(b.far))   // the message that it has to see next; -1 before the first
	left := make([][]byte, len(b.far))
	sent := 0
	check := func(i, most int) {
		n, _ := unix.Read(b.far[i], b.scratch[:most])
		left[i] = append(left[i], b.scratch[:max(n, 0)]...)
		for len(left[i]) > 2 && len(left[i]) >= headerSize(left[i]) {
			size := headerSize(left[i])
			length := int(left[i][1])
			switch size {
			case 4:
				length = int(left[i][2])<<8 | int(left[i][3])
			case 10:
				length = int(left[i][6])<<24 | int(left[i][7])<<16 | int(left[i][8])<<8 | int(left[i][9])
			}
			if len(left[i]) < size+length {
				break
			}
			var number int
			if _, err := fmt.Sscanf(string(left[i][size+length-9:size+length]), "%08d}", &number); err != nil {
				t.Fatalf("client %d: %q", i, left[i][size:size+length])
			}
			if number != next[i] && (next[i] >= 0 || number > joined[i]) {
				t.Fatalf("client %d: message %d where %d was due (it joined at %d)", i, number, next[i], joined[i])
			}
			next[i] = number + 1
			left[i] = left[i][size+length:]
		}
	}
	for range 1500 {
		b.checkLags(t)
		switch k := rng.IntN(10); {
		case k == 0 && len(b.far) < 40:
			b.add(t)
			joined, next, left = append(joined, sent), append(next, -1), append(left, nil)
		case k < 5:
			for range rng.IntN(50) {
				pad := fmt.Sprintf("%0*d", 8+rng.IntN(rng.IntN(3000)+1), sent)
				_, _ = b.Hub.Publish(context.Background(), wire.Publication{Channel: wire.Broadcast, Data: []byte(pad)})
				sent++
			}
		case k < 7:
			b.runJobs()
			b.offer()
		default:
			check(rng.IntN(len(b.far)), rng.IntN(len(b.scratch))+1)
			for _, e := range b.events[:b.poller.wait(b.events, false)] {
				b.ready(e)
			}
		}
	}
	for busy := true; busy; {
		b.round(wire.Publication{}, 0)
		for _, e := range b.events[:b.poller.wait(b.events, false)] {
			b.ready(e)
		}
		busy = false
		for i := range b.far {
			check(i, len(b.scratch))
			busy = busy || max(next[i], joined[i]) < sent
		}
	}
}

// checkLags compares what each conn is said to be behind with what it has due.
func (b *bench) checkLags(t *testing.T) {
	t.Helper()
	b.table.each(0, func(c *conn) bool {
		if c.out == nil {
			return true
		}
		due := len(c.out.rest) + len(c.out.replies)
		for i := range c.out.cursors {
			due += c.out.cursors[i].bytes
		}
		if due != c.out.lag {
			t.Fatalf("slot %d has %d bytes due and counts %d", c.slot, due, c.out.lag)
		}
		return true
	})
}

func BenchmarkFanout(b *testing.B) {
	for _, messages := range []int{1, 100} {
		b.Run(fmt.Sprintf("clients=200/messages=%d", messages), func(b *testing.B) {
			bench := newBench(b, 200, nil)
			p := wire.Publication{Channel: wire.Broadcast, Data: make([]byte, 128)}
			b.ReportAllocs()
			for b.Loop() {
				bench.round(p, messages)
				b.StopTimer()
				bench.swallow()
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*messages*200), "ns/delivery")
		})
	}
}
