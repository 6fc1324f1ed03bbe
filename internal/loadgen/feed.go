package loadgen

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// FeedOptions says what a [Feed] publishes.
type FeedOptions struct {
	Publisher Publisher
	Fleet     *Fleet   // who receives; nil when nobody does
	Channels  []string // published to in turn: one, or one for each lane of the fleet
	Size      int      // bytes of a message's data; never less than what its numbers take
}

// Feed publishes numbered messages. Channel number k of the options is lane
// number k of the fleet; with one channel alone, every client receives all.
// One goroutine uses it; [Feed.Sent] may be called from any.
type Feed struct {
	opt  FeedOptions
	sent atomic.Uint64
	data []byte
	wire []byte
}

// NewFeed prepares a feed whose next message is the first of every channel.
func NewFeed(opt FeedOptions) *Feed { return &Feed{opt: opt} }

// Window is how many messages of size bytes a publisher at full speed may be
// ahead of the slowest client: 256 KiB of them. It is the same for every
// server, and small enough that none drops a client as too slow.
func Window(size int) int { return max(1, 256<<10/max(1, size)) }

// Sent is how many messages were published.
func (f *Feed) Sent() uint64 { return f.sent.Load() }

// SentTo is how many messages were published to one lane of the fleet.
func (f *Feed) SentTo(lane int) uint64 {
	channels := uint64(len(f.opt.Channels))
	if channels == 1 {
		return f.Sent()
	}
	return (f.Sent() + channels - 1 - uint64(lane)) / channels
}

// Ahead publishes as fast as the server takes it, but never more than window
// messages ahead of the slowest client, until limit messages are sent (0: any
// number), lasting has passed (0: any time), or ctx is done. With window 1 each
// message waits until all clients have received the one before. It returns when
// everything published was received.
func (f *Feed) Ahead(ctx context.Context, window int, limit uint64, lasting time.Duration) error {
	chunk := uint64(max(1, window/8))
	begun, first := time.Now(), f.Sent()
	for ctx.Err() == nil && (lasting == 0 || time.Since(begun) < lasting) {
		n := chunk
		if limit > 0 {
			n = min(n, limit-(f.Sent()-first))
		}
		if n == 0 {
			break
		}
		if f.opt.Fleet != nil { // the next chunk's condition, before it can become true
			f.opt.Fleet.Expect(beyond(f.Sent()+n+chunk, uint64(window)))
		}
		if err := f.publish(n, time.Now().UnixNano()); err != nil {
			return err
		}
		if f.opt.Fleet != nil {
			if err := f.opt.Fleet.Await(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
	return f.Settle(ctx)
}

// beyond is a−b, and zero when b is larger.
func beyond(a, b uint64) uint64 {
	if a < b {
		return 0
	}
	return a - b
}

// timerSlack is how late a timer may fire. A message published later than that
// was held up by the server: it counts from when it was due.
const timerSlack = 2 * time.Millisecond

// AtRate publishes perSecond messages a second, evenly, until lasting has
// passed or ctx is done; it waits for no client. A message that could not be
// sent when it was due, because the server did not take the ones before,
// counts its latency from when it was due.
func (f *Feed) AtRate(ctx context.Context, perSecond float64, lasting time.Duration) error {
	begun := time.Now()
	due := func(k uint64) time.Time {
		return begun.Add(time.Duration(float64(k) / perSecond * float64(time.Second)))
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	total := uint64(perSecond * lasting.Seconds())
	for done := uint64(0); done < total; timer.Reset(time.Until(due(done))) {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return f.Settle(ctx)
		}
		now := time.Now()
		for ; done < total && !due(done).After(now); done++ {
			at := now
			if now.Sub(due(done)) > timerSlack {
				at = due(done)
			}
			f.add(at.UnixNano())
		}
		if err := f.flush(); err != nil {
			return err
		}
	}
	return f.Settle(ctx)
}

// Settle waits until every message published was received by all, even when
// ctx is done: what is under way is not lost. It gives up with [ErrStuck].
func (f *Feed) Settle(ctx context.Context) error {
	if f.opt.Fleet == nil {
		return nil
	}
	f.opt.Fleet.Expect(f.Sent())
	return f.opt.Fleet.Await(context.WithoutCancel(ctx))
}

// publish sends n messages in one write.
func (f *Feed) publish(n uint64, now int64) error {
	for range n {
		f.add(now)
	}
	return f.flush()
}

// add puts the next message into the buffer of the next write.
func (f *Feed) add(now int64) {
	k, channels := f.sent.Load(), uint64(len(f.opt.Channels))
	lane, lanes := int(k%channels), 1
	if f.opt.Fleet != nil {
		lanes = f.opt.Fleet.opt.Lanes
	}
	f.data = appendData(f.data[:0], k/channels+1, now, lane%lanes, f.opt.Size)
	f.wire = f.opt.Publisher.Append(f.wire, f.opt.Channels[lane], f.data)
	f.sent.Add(1)
}

// flush writes what add has gathered.
func (f *Feed) flush() error {
	if len(f.wire) == 0 {
		return nil
	}
	_, err := f.opt.Publisher.Write(f.wire)
	f.wire = f.wire[:0]
	return err
}

// padding fills messages up to their size.
var padding = strings.Repeat("x", 1024)

// appendData appends the data of one message, at least size bytes long: its
// number, when it was published (Unix nanoseconds), and the lane if it is not 0.
func appendData(dst []byte, seq uint64, now int64, lane, size int) []byte {
	begin := len(dst)
	dst = append(dst, mark...)
	dst = strconv.AppendUint(dst, seq, 10)
	dst = append(dst, `,"t":`...)
	dst = strconv.AppendInt(dst, now, 10)
	if lane > 0 {
		dst = append(dst, `,"lane":`...)
		dst = strconv.AppendInt(dst, int64(lane), 10)
	}
	const pad = `,"pad":"`
	if room := size - (len(dst) - begin) - len(pad) - len(`"}`); room >= 0 {
		dst = append(dst, pad...)
		for ; room > len(padding); room -= len(padding) {
			dst = append(dst, padding...)
		}
		dst = append(dst, padding[:room]...)
		dst = append(dst, '"')
	}
	return append(dst, '}')
}
