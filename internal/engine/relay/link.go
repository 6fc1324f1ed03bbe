package relay

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
)

// Link is the follower's end of a connection to the owner.
type Link struct {
	// Static after Greet.
	conn    net.Conn
	r       *bufio.Reader
	wakeups chan struct{} // holds one when there is something to send
	done    chan struct{} // closed when the link has ended

	sent map[uint64]*item // without an answer; guarded by Engine.mu
	err  error            // to be read when done is closed; nil after a goodbye
}

// Greet begins a link with the process at the other end of conn, which must
// call Answer, and says what l knows already. It returns when that process
// agrees; conn is closed otherwise. Nothing may be published in l meanwhile
// or later.
func Greet(ctx context.Context, conn net.Conn, l *ledger.Ledger) (*Link, error) {
	k := &Link{conn: conn, r: bufio.NewReaderSize(conn, bufferSize), wakeups: make(chan struct{}, 1), done: make(chan struct{}), sent: make(map[uint64]*item)}
	err := within(ctx, conn, func() error {
		w := newFrameWriter(conn)
		b := greeting{epoch: l.Epoch()}
		for shard := range b.tops {
			b.tops[shard] = l.Top(shard)
		}
		w.greeting(&b)
		if err := w.flush(); err != nil {
			return err
		}
		f, err := readFrame(k.r, nil)
		switch {
		case err != nil:
			return err
		case f.kind == kindNo:
			return errors.New(string(f.rest))
		case f.kind != kindBegun:
			return fmt.Errorf("the new process answers with %v", f.kind)
		}
		return nil
	})
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("the feed from the new process cannot begin: %w", err)
	}
	return k, nil
}

// within runs f with the deadline of ctx on conn.
func within(ctx context.Context, conn net.Conn, f func() error) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err := f()
	if !stop() { // conn is of no use any more
		return errors.Join(context.Cause(ctx), err)
	}
	return err
}

// Done is closed when the link has ended.
func (k *Link) Done() <-chan struct{} { return k.done }

// Err returns why the link ended, nil after a goodbye. It is for after Done.
func (k *Link) Err() error { return k.err }

// Close ends a link that nobody follows yet.
func (k *Link) Close() error { return k.conn.Close() }

func (k *Link) wake() {
	select {
	case k.wakeups <- struct{}{}:
	default:
	}
}

// run works the link until it ends or ctx is done.
func (k *Link) run(ctx context.Context, d *Engine) {
	var wg sync.WaitGroup
	halt := make(chan struct{})
	wg.Go(func() { k.send(d, halt) })
	stop := context.AfterFunc(ctx, func() { k.conn.Close() })
	err := k.receive(d)
	stop()
	close(halt)
	k.conn.Close()
	wg.Wait()
	k.end(d, err)
}

// send sends what is queued until halt is closed or the link broken.
func (k *Link) send(d *Engine, halt chan struct{}) {
	w := newFrameWriter(k.conn)
	var next uint64
	for {
		d.mu.Lock()
		var batch []*item
		if d.link == k && d.mode == following {
			batch = d.dequeue()
		}
		first := next + 1
		for _, i := range batch {
			next++
			k.sent[next] = i
		}
		d.mu.Unlock()
		for n, i := range batch {
			w.publication(first+uint64(n), &i.p)
		}
		if w.flush() != nil {
			k.conn.Close() // receive sees it
			return
		}
		if len(batch) > 0 {
			continue
		}
		select {
		case <-k.wakeups:
		case <-halt:
			return
		}
	}
}

var errGoodbye = errors.New("goodbye")

// receive takes what the owner says until the link ends, and returns why.
func (k *Link) receive(d *Engine) error {
	l := d.Ledger()
	var room []byte
	for {
		f, err := readFrame(k.r, room)
		if err != nil {
			return err
		}
		room = f.room
		switch f.kind {
		case kindMessage:
			err = f.message(l)
		case kindAnswer:
			err = k.answer(d, &f)
		case kindRefusal:
			err = k.refusal(d, &f)
		case kindSnapshot:
			var p ledger.Snapshot
			if p, err = ledger.ReadSnapshot(k.r); err == nil {
				err = l.Adopt(p)
			}
		case kindGoodbye:
			return errGoodbye
		default:
			err = fmt.Errorf("%v is nothing that an owner says", f.kind)
		}
		if err != nil {
			return err
		}
	}
}

func (k *Link) answer(d *Engine, f *frame) error {
	id, ack := f.answer(d.Ledger().Epoch())
	return k.settle(d, f, id, ack, nil)
}

func (k *Link) refusal(d *Engine, f *frame) error {
	id, refusal := f.refusal()
	return k.settle(d, f, id, engine.Ack{}, refusal)
}

func (k *Link) settle(d *Engine, f *frame, id uint64, ack engine.Ack, err error) error {
	d.mu.Lock()
	i := k.sent[id]
	delete(k.sent, id)
	d.mu.Unlock()
	if f.bad || i == nil {
		return errors.New("an answer to nothing that was asked")
	}
	d.settle(i, ack, err)
	return nil
}

// end notes that the link is over, and why.
func (k *Link) end(d *Engine, err error) {
	d.mu.Lock()
	var open []*item
	for _, id := range slices.SortedFunc(maps.Keys(k.sent), cmp.Compare[uint64]) {
		open = append(open, k.sent[id])
	}
	k.sent = nil
	d.lost = err != errGoodbye
	if d.mode == following {
		d.mode = waiting
	}
	d.link = nil
	if !d.lost {
		d.requeue(open) // it said goodbye to them without taking them
		open = nil
	}
	d.watch()
	d.mu.Unlock()
	for _, i := range open {
		d.settle(i, engine.Ack{}, errUncertain)
	}
	if err != errGoodbye {
		k.err = fmt.Errorf("the link to the new process broke: %w", err)
	}
	close(k.done)
}
