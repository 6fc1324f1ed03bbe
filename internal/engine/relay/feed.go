package relay

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// How much may be queued for a follower. What comes beyond it is told from
// the logs.
const (
	maxFeed      = 1 << 15
	maxFeedBytes = 16 << 20
)

// Feed is the owner's end of a link.
type Feed struct {
	// Static after Answer.
	conn    net.Conn
	r       *bufio.Reader
	ledger  *ledger.Ledger
	wakeups chan struct{} // holds one when there is something to tell
	done    chan struct{} // closed when Run returns

	told [ledger.Shards]uint64 // up to which seq the follower was told; owned by tell

	mu sync.Mutex

	// Guarded by mu.
	queue []line
	bytes int // of the messages in queue
	ended bool
	holes int // how often the queue was full
}

// line is one thing to tell a follower.
type line struct {
	kind     kind
	poured   ledger.Poured    // of a message; of a snapshot its Shard
	snapshot *ledger.Snapshot // nil where it is to be taken when it is told
	id       uint64           // of the publication that is answered
	ack      engine.Ack
	refusal  *wire.Error
}

// Answer begins a link that the process at the other end of conn begins by
// Greet, and returns when both agree; conn is closed otherwise. l is the
// ledger that the follower is told of, from now on. It must know what the
// follower knows. Run or Close must follow.
func Answer(ctx context.Context, conn net.Conn, l *ledger.Ledger) (*Feed, error) {
	f := &Feed{conn: conn, r: bufio.NewReaderSize(conn, bufferSize), ledger: l, wakeups: make(chan struct{}, 1), done: make(chan struct{})}
	err := within(ctx, conn, func() error {
		w := newFrameWriter(conn)
		if err := f.hear(); err != nil {
			w.bare(kindNo, err.Error())
			return errors.Join(err, w.flush())
		}
		w.bare(kindBegun, "")
		return w.flush()
	})
	if err == nil {
		f.open()
	} else {
		conn.Close()
		return nil, fmt.Errorf("the feed for the old process cannot begin: %w", err)
	}
	return f, nil
}

// hear reads the greeting.
func (f *Feed) hear() error {
	frame, err := readFrame(f.r, nil)
	if err != nil {
		return err
	}
	g, err := frame.greeting()
	if err != nil {
		return err
	}
	if g.epoch != f.ledger.Epoch() {
		return fmt.Errorf("the old process has epoch %s, the new one %s", wire.Quote(g.epoch), f.ledger.Epoch())
	}
	for shard, top := range g.tops {
		if have := f.ledger.Top(shard); have < top {
			return fmt.Errorf("shard %d: the old process is at %d, the new one at %d", shard, top, have)
		}
	}
	f.told = g.tops
	return nil
}

// open taps the ledger: from now on nothing is missed.
func (f *Feed) open() {
	for shard, top := range f.told {
		p := f.ledger.Snapshot(shard, top, f.pour)
		f.put(line{kind: kindSnapshot, poured: ledger.Poured{Shard: shard}, snapshot: &p})
	}
}

// Close ends a feed that was not run.
func (f *Feed) Close() error {
	f.ledger.Untap()
	return f.conn.Close()
}

// Run tells the follower everything and publishes for it through e, until it
// is gone, was told goodbye, or ctx is done. An error says that it broke off
// or talked nonsense.
func (f *Feed) Run(ctx context.Context, e engine.Engine) error {
	defer close(f.done)
	var wg sync.WaitGroup
	halt := make(chan struct{})
	telling := make(chan error, 1)
	wg.Go(func() { telling <- f.tell(halt) })
	stop := context.AfterFunc(ctx, func() { f.conn.Close() })
	err := f.take(e)
	stop()
	close(halt)
	f.conn.Close()
	wg.Wait()
	f.ledger.Untap()
	f.mu.Lock()
	defer f.mu.Unlock()
	said := <-telling == errGoodbye
	f.ended, f.queue = true, nil
	if said || ctx.Err() != nil || errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("the link to the old process ended: %w", err)
}

// Holes returns how often the follower was so far behind that it had to be
// told from the logs.
func (f *Feed) Holes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.holes
}

// Goodbye ends the link in order: the follower is told what is left and that
// this was all, and can be the owner. Nothing may be published any more, in
// this process or for the follower: the engine must be paused, and stay so.
func (f *Feed) Goodbye(ctx context.Context) error {
	f.put(line{kind: kindGoodbye})
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the old process did not take its leave: %w", ctx.Err())
	}
}

// take publishes what the follower sends.
func (f *Feed) take(e engine.Engine) error {
	var room []byte
	for {
		frame, err := readFrame(f.r, room)
		if err != nil {
			return err
		}
		room = frame.room
		if frame.kind != kindPublication {
			return fmt.Errorf("%v is nothing that a follower says", frame.kind)
		}
		id, p, err := frame.publication()
		if err != nil {
			return err
		}
		ack, later, err := e.Submit(p, func(ack engine.Ack, err error) { f.answer(id, ack, err) })
		if !later {
			f.answer(id, ack, err)
		}
	}
}

// answer queues the outcome of a publication.
func (f *Feed) answer(id uint64, ack engine.Ack, err error) {
	if err == nil {
		f.put(line{kind: kindAnswer, id: id, ack: ack})
		return
	}
	refusal, ok := errors.AsType[*wire.Error](err)
	if !ok {
		refusal = wire.Errorf(wire.Internal, "%v", err)
	}
	f.put(line{kind: kindRefusal, id: id, refusal: refusal})
}

// pour is the ledger's tap.
func (f *Feed) pour(p ledger.Poured) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return false
	}
	if p.Entry == nil || len(f.queue) >= maxFeed || f.bytes+len(p.Entry.Frame) > maxFeedBytes && f.bytes > 0 {
		f.holes++
		f.putLocked(line{kind: kindSnapshot, poured: ledger.Poured{Shard: p.Shard}})
		return false
	}
	f.bytes += len(p.Entry.Frame)
	f.putLocked(line{kind: kindMessage, poured: p})
	return true
}

func (f *Feed) put(l line) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.putLocked(l)
}

func (f *Feed) putLocked(l line) {
	if f.ended {
		return
	}
	f.queue = append(f.queue, l)
	select {
	case f.wakeups <- struct{}{}:
	default:
	}
}

// tell writes what is queued, until halt is closed, goodbye was said or the
// link is broken.
func (f *Feed) tell(halt chan struct{}) error {
	w := newFrameWriter(f.conn)
	for {
		f.mu.Lock()
		batch := f.queue
		f.queue, f.bytes = nil, 0
		f.mu.Unlock()
		for i := range batch {
			if err := f.write(w, &batch[i]); err != nil {
				if err != errGoodbye {
					f.conn.Close()
				}
				return err
			}
		}
		if err := w.flush(); err != nil {
			f.conn.Close()
			return err
		}
		if len(batch) > 0 {
			continue
		}
		select {
		case <-f.wakeups:
		case <-halt:
			return nil
		}
	}
}

func (f *Feed) write(w *frameWriter, l *line) error {
	switch l.kind {
	case kindMessage:
		w.message(&l.poured)
		f.told[l.poured.Shard] = l.poured.Entry.Seq
	case kindAnswer:
		w.answer(l.id, l.ack)
	case kindRefusal:
		w.refusal(l.id, l.refusal)
	case kindSnapshot:
		shard, p := l.poured.Shard, l.snapshot
		if p == nil {
			now := f.ledger.Snapshot(shard, f.told[shard], f.pour)
			p = &now
		}
		w.bare(kindSnapshot, "")
		if err := p.Write(w.w); err != nil {
			return err
		}
		f.told[shard] = p.Top
	case kindGoodbye:
		w.bare(kindGoodbye, "")
		_ = f.conn.SetReadDeadline(time.Now().Add(Patience)) // until the follower closes its end
		if err := w.flush(); err != nil {
			return err
		}
		return errGoodbye
	}
	return nil
}
