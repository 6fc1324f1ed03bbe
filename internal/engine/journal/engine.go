package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// Durability says when a publish is acknowledged.
type Durability uint8

const (
	// Async acknowledges when the message is in memory; it is on the disk
	// 50 ms later, or a sync later where that takes longer.
	Async Durability = iota
	// Sync acknowledges, and delivers, when the message is on the disk.
	Sync
)

// Config says how a journal is kept.
type Config struct {
	// Dir is the folder. It is made if it is not there; nobody else may have
	// the right to write to it.
	Dir string
	// Durability is Async where nothing is said.
	Durability Durability
	// Rules say what each channel keeps.
	Rules ledger.Rules
	// MaxBytes bounds what all channels keep together; 0 is
	// ledger.DefaultMaxBytes.
	MaxBytes int64
	// MaxKeys bounds how many idempotency keys are remembered; 0 is
	// ledger.DefaultMaxKeys.
	MaxKeys int
	// Logger is told when the journal begins and ceases to fail, and what was
	// lost or damaged at a start; nil is nobody.
	Logger *slog.Logger
}

// Engine implements engine.Engine. Reading is the ledger's and never waits
// for the disk.
type Engine struct {
	*ledger.Ledger

	// Static after Open.
	dir    string
	sync   bool
	rules  ledger.Rules
	log    *slog.Logger
	report Report

	wakeup   chan struct{}              // holds one when the writer has something to do
	dirty    atomic.Uint64              // shards that changed, a bit each
	refusing atomic.Pointer[wire.Error] // why publishes are refused; nil while they are not
	gate     gate
	stage    stage

	writing sync.Mutex

	// Guarded by writing.
	store    *store
	book     book
	draft    *draft
	state    map[string][]byte
	behind   bool                     // a transaction failed: what it held has to be found again
	busy     [ledger.Shards]time.Time // when something last happened in a shard
	swept    time.Time                // when the shards were last looked at for rest
	gathered time.Time                // when what changed was last collected
	trouble  trouble
	closed   bool
}

// Report says what was found at a start.
type Report struct {
	// Fresh is whether there was no journal.
	Fresh bool
	// Messages and Channels are how many are kept.
	Messages, Channels int
	// Lost is in how many of the 64 shards messages may be missing; each of
	// their channels has a gap.
	Lost int
	// Damage lists what was left out, Damaged is how much that is.
	Damage  []Damage
	Damaged int
	// Took is how long it took.
	Took time.Duration
}

var errStopping = wire.Errorf(wire.Unavailable, "the server is stopping; the message was not published")

// Open takes the folder, reads the journal in it and returns an engine that
// delivers to sink. It begins to take publishes when Run does. Errors are for
// people: *UseError when another process has the folder, *DamageError when
// the file cannot be read.
func Open(c Config, sink engine.Sink) (*Engine, error) { return openEngine(c, sink, false) }

// openEngine is Open; salvage is whether to make do with what can be read.
func openEngine(c Config, sink engine.Sink, salvage bool) (*Engine, error) {
	began := time.Now()
	log := c.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s, err := openStore(c.Dir)
	if err != nil {
		return nil, err
	}
	e := &Engine{dir: c.Dir, sync: c.Durability == Sync, rules: c.Rules, log: log, store: s, wakeup: make(chan struct{}, 1)}
	if err := e.begin(c, sink, salvage); err != nil {
		_ = s.close()
		return nil, err
	}
	e.report.Took = time.Since(began)
	return e, nil
}

// begin reads the file and writes what has to be known before the first
// publish.
func (e *Engine) begin(c Config, sink engine.Sink, salvage bool) error {
	r := newRestorer()
	found, err := e.read(r, salvage)
	if err != nil {
		return err
	}
	e.report.Fresh = found == nil
	if found == nil {
		found = &contents{epoch: wire.NewEpoch(), state: make(map[string][]byte)}
		found.heads.next = 1
	}
	e.Ledger = ledger.New(sink, ledger.Options{
		Epoch: found.epoch, Rules: c.Rules, MaxBytes: c.MaxBytes, MaxKeys: c.MaxKeys, Changed: e.changed, Limited: true, Unheard: true,
	})
	e.state = found.state
	e.restore(found, r)
	e.store.doubt = found.odd || e.report.Fresh // it has to be written anew
	if found.odd {
		e.store.keep()
	}
	e.draft = newDraft(&e.book)
	e.dirty.Store(^uint64(0))
	e.tell(found)
	switch err := e.flush(time.Now(), []item{{bucketHead, []byte(headFormat), seal([]byte(format), headFormat)}}, nil); {
	case err != nil && e.report.Fresh:
		return fmt.Errorf("the journal in %s cannot be made: %w", e.dir, reason(err))
	case err != nil:
		e.fail(err, nil)
	}
	return nil
}

// read loads the file, nil when there is none.
func (e *Engine) read(r *restorer, salvage bool) (*contents, error) {
	if err := checkFile(e.store.path(fileName)); err != nil && !missing(err) {
		return nil, err
	}
	found, err := load(e.dir, r.visit)
	if errors.Is(err, errNoJournal) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if salvage && !found.headless {
		found.odd = true
		return found, nil
	}
	return found, found.fatal(e.dir)
}

// Report returns what was found at the start.
func (e *Engine) Report() Report { return e.report }

// Refusal returns why publishes are refused now, nil when they are not.
func (e *Engine) Refusal() *wire.Error { return e.refusing.Load() }

// changed is the ledger's word that a shard has something to collect.
func (e *Engine) changed(shard int) {
	if e.dirty.Or(1<<shard) == 0 {
		e.wake()
	}
}

func (e *Engine) wake() {
	select {
	case e.wakeup <- struct{}{}:
	default:
	}
}

// Publish implements engine.Engine. When ctx is done before the outcome is
// known, the answer is wire.Unavailable if the message surely was not
// published, else wire.Uncertain.
func (e *Engine) Publish(ctx context.Context, p wire.Publication) (engine.Ack, error) {
	if !e.sync {
		if ack, err := e.publish(p); err != ledger.ErrLimit {
			return ack, err
		}
	}
	told := make(chan outcome, 1)
	done := func(ack engine.Ack, err error) { told <- outcome{ack, err} }
	var w *waiting
	var err error
	if e.sync {
		ack, later, err := e.order(p, done)
		if !later {
			return ack, err
		}
	} else if w, err = e.wait(p, done); err != nil {
		return engine.Ack{}, err
	}
	select {
	case o := <-told:
		return o.ack, o.err
	case <-ctx.Done():
	}
	if w != nil && e.gate.withdraw(w) {
		return engine.Ack{}, wire.Errorf(wire.Unavailable, "the journal took too long; the message was not published")
	}
	select {
	case o := <-told:
		return o.ack, o.err
	default:
		return engine.Ack{}, wire.Errorf(wire.Uncertain, "the journal took too long; the message may yet be published: publish it again with the same key")
	}
}

type outcome struct {
	ack engine.Ack
	err error
}

// Submit implements engine.Engine.
func (e *Engine) Submit(p wire.Publication, done func(engine.Ack, error)) (ack engine.Ack, later bool, err error) {
	if e.sync {
		return e.order(p, done)
	}
	if ack, err = e.publish(p); err != ledger.ErrLimit {
		return ack, false, err
	}
	_, err = e.wait(p, done)
	return engine.Ack{}, err == nil, err
}

// publish publishes at once, or returns ledger.ErrLimit when p has to wait.
func (e *Engine) publish(p wire.Publication) (engine.Ack, error) {
	if refusal := e.refusing.Load(); refusal != nil {
		return engine.Ack{}, refusal
	}
	if e.gate.holds(ledger.Shard(p.Channel)) {
		return engine.Ack{}, ledger.ErrLimit
	}
	return e.Ledger.Publish(context.Background(), p)
}

// nobody is the sink of an engine that serves nobody.
type nobody struct{}

func (nobody) Deliver(engine.Message) {}
func (nobody) Suspect([]string)       {}
func (nobody) Listens(string) bool    { return false }

var _ engine.Engine = (*Engine)(nil)
