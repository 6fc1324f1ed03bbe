package relay

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// Patience is how long a publication waits while ownership moves.
const Patience = 2 * time.Second

// closed is added to Engine.busy while nothing may go in.
const closed = -1 << 40

// mode says where publications go.
type mode uint8

const (
	owning    mode = iota // to the engine behind the door
	waiting               // nowhere, for now
	following             // over the link
	stopped               // nowhere any more
)

// Engine implements engine.Engine before another one. Its verbs Pause,
// Resume, Stop, Take, Follow and Promote are for one caller at a time.
type Engine struct {
	// Static after New.
	sink engine.Sink
	idle chan struct{} // holds one when nothing is under way behind a closed door
	jobs chan job

	tenant atomic.Pointer[tenant]
	busy   atomic.Int64 // publications under way; far below zero while the door is closed

	mu sync.Mutex

	// Guarded by mu.
	mode  mode
	queue []*item // those that wait to go somewhere
	count int     // publications without an outcome that did not go through the open door
	bytes int     // of their data
	timer *time.Timer
	link  *Link
	lost  bool // the last link ended without a goodbye
}

// tenant is what is behind the door.
type tenant struct {
	engine.Engine
	ledger *ledger.Ledger
	quit   chan struct{}
	ended  chan struct{}
	err    error // of Run; to be read when ended is closed
}

func newTenant(e engine.Engine, l *ledger.Ledger) *tenant {
	return &tenant{Engine: e, ledger: l, quit: make(chan struct{}), ended: make(chan struct{})}
}

// job is work that Run does beside others.
type job func(ctx context.Context) error

// New returns the door before e, which delivers to sink and whose ledger is
// l.
func New(sink engine.Sink, e engine.Engine, l *ledger.Ledger) *Engine {
	d := &Engine{sink: sink, idle: make(chan struct{}, 1), jobs: make(chan job, 8)}
	d.move(newTenant(e, l))
	return d
}

// Ledger returns the ledger behind the door: the owner's, or the follower's.
func (d *Engine) Ledger() *ledger.Ledger { return d.tenant.Load().ledger }

// Attach implements engine.Engine.
func (d *Engine) Attach(channel string) wire.ID { return d.tenant.Load().Attach(channel) }

// Detach implements engine.Engine.
func (d *Engine) Detach(channel string) { d.tenant.Load().Detach(channel) }

// Read implements engine.Engine.
func (d *Engine) Read(ctx context.Context, channel string, since wire.ID, limit int) (engine.Page, error) {
	return d.tenant.Load().Read(ctx, channel, since, limit)
}

// Newest implements engine.Engine.
func (d *Engine) Newest(ctx context.Context, channel string, limit int) (engine.Page, error) {
	return d.tenant.Load().Newest(ctx, channel, limit)
}

// enter goes through the door if it is open. leave must follow.
func (d *Engine) enter() bool {
	if d.busy.Add(1) > 0 {
		return true
	}
	d.leave()
	return false
}

func (d *Engine) leave() {
	if d.busy.Add(-1) == closed {
		select {
		case d.idle <- struct{}{}:
		default:
		}
	}
}

// Publish implements engine.Engine. When ctx is done before the outcome is
// known, the answer is wire.Unavailable if the message surely was not
// published, else wire.Uncertain.
func (d *Engine) Publish(ctx context.Context, p wire.Publication) (engine.Ack, error) {
	if d.enter() {
		defer d.leave()
		return d.tenant.Load().Publish(ctx, p)
	}
	if ctx.Err() != nil {
		return engine.Ack{}, errWaited
	}
	told := make(chan outcome, 1)
	i, err := d.enqueue(p, func(ack engine.Ack, err error) { told <- outcome{ack, err} })
	switch {
	case err != nil:
		return engine.Ack{}, err
	case i == nil:
		return d.Publish(ctx, p) // it is open again
	}
	select {
	case o := <-told:
		return o.ack, o.err
	case <-ctx.Done():
	}
	if d.withdraw(i) {
		return engine.Ack{}, errWaited
	}
	select {
	case o := <-told:
		return o.ack, o.err
	default:
		return engine.Ack{}, errUncertain
	}
}

type outcome struct {
	ack engine.Ack
	err error
}

// Submit implements engine.Engine.
func (d *Engine) Submit(p wire.Publication, done func(engine.Ack, error)) (ack engine.Ack, later bool, err error) {
	for {
		if d.enter() {
			ack, later, err = d.tenant.Load().Submit(p, func(ack engine.Ack, err error) {
				d.leave()
				done(ack, err)
			})
			if !later {
				d.leave()
			}
			return ack, later, err
		}
		i, err := d.enqueue(p, done)
		if i != nil || err != nil {
			return engine.Ack{}, err == nil, err
		}
	}
}

var (
	errWaited    = wire.Errorf(wire.Unavailable, "the server is moving to a new process; the message was not published, try again")
	errStopping  = wire.Errorf(wire.Unavailable, "the server is stopping; the message was not published")
	errBehind    = wire.Errorf(wire.Overloaded, "too many messages wait to be published; this one was not, try again")
	errUncertain = wire.Errorf(wire.Uncertain, "it is not known whether the message was published: publish it again with the same key")
)

var _ engine.Engine = (*Engine)(nil)
