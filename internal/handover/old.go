package handover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"
)

// Reserve is how many descriptors a new process needs beside sessions and
// listeners.
const Reserve = 64

// Owner is the engine of the old process.
type Owner interface {
	// Export has publishes wait and writes what the new process must know.
	Export(ctx context.Context, w io.Writer) error
	// Greet begins the link by which the new process will feed this one. The
	// owner closes conn when it is done with it.
	Greet(ctx context.Context, conn net.Conn) error
	// Follow says that the new process has the engine.
	Follow()
	// Keep says, in place of Follow, that it stays here. It is called once
	// after Export was, whatever that returned.
	Keep()
}

// Fleet has the sessions of the old process.
type Fleet interface {
	// Sessions returns how many there are to be moved.
	Sessions() int
	// Park lets some sessions stand still, up to most; nil when none is left.
	Park(ctx context.Context, most int) (Parked, error)
}

// Parked are sessions that stand still.
type Parked interface {
	Sessions() []Session
	// Moved says that the new process has all but those refused, which go on
	// here. The descriptors of the others are to be closed.
	Moved(refused []Refused)
	// Return says that all go on here.
	Return(why error)
}

// Old is the process that serves.
type Old struct {
	// Writes is the version of the state that Owner and Fleet write.
	Writes    int
	Listeners []Listener
	Owner     Owner
	Fleet     Fleet
	// Kill ends the new process if it has not ended, waits for that, and says
	// how it ended.
	Kill func() error
}

// Outcome says what a handover did.
type Outcome struct {
	New Greeting
	// EngineMoved is whether the new process has the engine: what is left
	// here follows it.
	EngineMoved bool
	// Moved and Refused are how many sessions have moved and could not be
	// taken; Batches in how many.
	Moved, Refused, Batches int
	// Paused is how long publishes waited, LongestBatch how long the sessions
	// of one stood still.
	Paused, LongestBatch time.Duration
}

// Run hands over to the process at the other end of conn, which it closes. An
// error is an *Error: it says how far it came, and who serves on. With
// Outcome.EngineMoved unset, nothing has happened.
func (o *Old) Run(ctx context.Context, conn *net.UnixConn) (Outcome, error) {
	p, err := newSocket(conn)
	if err != nil {
		return Outcome{}, &Error{Stage: Starting, Err: errors.Join(err, o.kill())}
	}
	return o.run(ctx, p)
}

func (o *Old) run(ctx context.Context, p deadliner) (out Outcome, err error) {
	defer p.Close()
	t := &talk{side: ByOld, pipe: p}
	for _, step := range [...]func(context.Context, *talk, *Outcome) error{o.greet, o.listen, o.engine, o.sessions} {
		at := t.stage
		if err := step(ctx, t, &out); err != nil {
			if t.stage > at && t.stage < Over {
				at = t.stage
			}
			return out, o.end(t, at, out.EngineMoved, err)
		}
	}
	return out, nil
}

// end kills a new process that has nothing.
func (o *Old) end(t *talk, at Stage, moved bool, err error) error {
	e := &Error{Stage: at, Err: err, Owner: ByOld}
	if moved {
		e.Owner = ByNew
		return e
	}
	if !isRefused(err) {
		t.refuse(err)
	}
	how := o.kill()
	if how != nil && errors.Is(err, errGone) {
		e.Err = fmt.Errorf("%w (%w)", err, how)
	}
	return e
}

func (o *Old) kill() error {
	if o.Kill == nil {
		return nil
	}
	return o.Kill()
}

// greet hears the new process and looks whether it can take over.
func (o *Old) greet(ctx context.Context, t *talk, out *Outcome) error {
	_, stop := t.within(ctx, ReadyWithin)
	defer stop()
	m, err := t.hear()
	if err != nil {
		return err
	}
	if err := m.decode(&out.New); err != nil {
		return err
	}
	g := &out.New
	needed := uint64(o.Fleet.Sessions() + len(o.Listeners) + g.Open + Reserve)
	switch {
	case g.Format != Format:
		return fmt.Errorf("the new process (version %q) speaks handover format %d, this one %d: stop this one and start the new one", g.Version, g.Format, Format)
	case !slices.Contains(g.Reads, o.Writes):
		return fmt.Errorf("the new process (version %q) reads state %v, this one writes %d: stop this one and start the new one", g.Version, g.Reads, o.Writes)
	case g.Limit < needed:
		return fmt.Errorf("the new process needs %d descriptors and may have %d: raise its limit (ulimit -n, LimitNOFILE=)", needed, g.Limit)
	}
	return nil
}

// listen passes the listeners.
func (o *Old) listen(ctx context.Context, t *talk, _ *Outcome) error {
	_, stop := t.within(ctx, ListenWithin)
	defer stop()
	var names listenerNames
	var fds []int
	for _, l := range o.Listeners {
		names.Names = append(names.Names, l.Name)
		fds = append(fds, l.FD)
	}
	m := encode(Listeners, names)
	m.fds = fds
	if err := t.say(m); err != nil {
		return err
	}
	_, err := t.hear()
	return err
}

// engine passes the engine.
func (o *Old) engine(ctx context.Context, t *talk, out *Outcome) error {
	began := time.Now()
	limited, stop := t.within(ctx, EngineWithin)
	defer stop()
	link, far, err := socketPair()
	if err != nil {
		return fmt.Errorf("no link can be made: %w", err)
	}
	err = t.say(message{kind: Engine, fds: []int{far}})
	_ = closeDescriptor(far)
	if err != nil {
		link.Close()
		return err
	}
	if err := o.offer(limited, t, link); err != nil {
		link.Close()
		o.Owner.Keep()
		return err
	}
	if err := o.letGo(t); err != nil {
		link.Close()
		o.Owner.Keep()
		return err
	}
	o.Owner.Follow()
	out.EngineMoved, out.Paused = true, time.Since(began)
	return nil
}

// offer writes what the engine knows until the new process has it.
func (o *Old) offer(ctx context.Context, t *talk, link net.Conn) error {
	if err := o.Owner.Export(ctx, chunks{t}); err != nil {
		return err
	}
	if err := t.say(message{kind: End}); err != nil {
		return err
	}
	greeted := make(chan error, 1)
	go func() { greeted <- o.Owner.Greet(ctx, link) }()
	_, err := t.hear()
	if err != nil {
		link.Close()
	}
	if greeting := <-greeted; err == nil {
		err = greeting
	}
	return err
}

// letGo lets go of the engine. When nothing is heard then, it depends on
// whether the new process had said that it took it up: it is made to say
// nothing more.
func (o *Old) letGo(t *talk) error {
	if err := t.say(message{kind: Own}); err != nil {
		return err
	}
	_, err := t.hear()
	if err == nil || !errors.Is(err, errLate) {
		return err
	}
	_ = o.kill()
	t.pipe.setDeadline(time.Now().Add(time.Second))
	if _, last := t.hear(); last == nil {
		return nil
	}
	return err
}

// chunks writes what an engine knows as messages.
type chunks struct{ talk *talk }

func (c chunks) Write(b []byte) (int, error) {
	for n := 0; n < len(b); {
		k := min(len(b)-n, 256<<10)
		if err := c.talk.say(message{kind: Chunk, payload: b[n : n+k]}); err != nil {
			return n, err
		}
		n += k
	}
	return len(b), nil
}

// sessions moves all sessions, a batch at a time.
func (o *Old) sessions(ctx context.Context, t *talk, out *Outcome) error {
	for {
		began := time.Now()
		batch, err := o.Fleet.Park(ctx, MostDescriptors)
		if err != nil {
			return err
		}
		if batch == nil {
			break
		}
		refused, err := o.batch(ctx, t, batch)
		if err != nil {
			if t.stage == Resuming && errors.Is(err, errLate) {
				// It may take them up at any moment: they are lost to this process.
				out.Moved += len(batch.Sessions()) - len(refused)
				batch.Moved(refused)
				return err
			}
			batch.Return(err)
			return err
		}
		batch.Moved(refused)
		out.Moved += len(batch.Sessions()) - len(refused)
		out.Refused += len(refused)
		out.Batches++
		out.LongestBatch = max(out.LongestBatch, time.Since(began))
	}
	t.pipe.setDeadline(time.Now().Add(BatchWithin))
	return t.say(message{kind: Goodbye})
}

// batch moves one batch.
func (o *Old) batch(ctx context.Context, t *talk, b Parked) ([]Refused, error) {
	_, stop := t.within(ctx, BatchWithin)
	defer stop()
	list := b.Sessions()
	if len(list) > MostDescriptors {
		return nil, fmt.Errorf("a batch of %d sessions, %d at most", len(list), MostDescriptors)
	}
	if err := t.say(encodeBatch(list)); err != nil {
		return nil, err
	}
	m, err := t.hear()
	if err != nil {
		return nil, err
	}
	var a adopted
	if err := m.decode(&a); err != nil {
		return nil, err
	}
	seen := make(map[int]bool)
	for _, r := range a.Refused {
		if r.Index < 0 || r.Index >= len(list) || seen[r.Index] {
			return nil, fmt.Errorf("session %d of a batch of %d is refused", r.Index, len(list))
		}
		seen[r.Index] = true
	}
	if err := t.say(message{kind: Go}); err != nil {
		return nil, err
	}
	_, err = t.hear()
	return a.Refused, err
}
