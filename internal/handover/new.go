package handover

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
)

// Heir is the engine of the new process.
type Heir interface {
	// Import reads what the old process wrote, to its end, and answers on
	// link, by which it feeds the old process once it owns. Nothing may be
	// published yet. conn is its own.
	Import(ctx context.Context, r io.Reader, link net.Conn) error
	// Own says that the engine is this process's now: publishing begins, and
	// so may accepting.
	Own()
	// Abandon says, in place of Own, that it stays with the old process. It
	// is called once after Import was, whatever that returned.
	Abandon()
}

// Crew takes sessions in the new process.
type Crew interface {
	// Adopt takes sessions and lets them stand still. The descriptors of
	// those refused are closed by the caller, all others are the crew's.
	Adopt(ctx context.Context, list []Session) (Adoption, []Refused)
}

// Adoption are sessions that stand still in the new process.
type Adoption interface {
	// Go says that they are this process's now.
	Go()
	// Discard says that they stay with the old process: their descriptors
	// are to be closed without a word to the clients.
	Discard()
}

// New is the successor.
type New struct {
	// Version is the program's, Reads the versions of state that Heir and
	// Crew read.
	Version string
	Reads   []int
	// Listen takes the listeners, whose descriptors are its own. It must not
	// accept before Heir.Own.
	Listen func(list []Listener) error
	Heir   Heir
	Crew   Crew
}

// Run takes over from the process at the other end of conn, which it closes,
// and returns after its goodbye. An error is an *Error: with Owner ByOld this
// process has nothing and should end; with ByNew it has the engine and the
// listeners, and serves on.
func (n *New) Run(ctx context.Context, conn *net.UnixConn) error {
	p, err := newSocket(conn)
	if err != nil {
		return &Error{Stage: Starting, Err: err}
	}
	limit, open, err := descriptors()
	if err != nil {
		p.Close()
		return &Error{Stage: Starting, Err: err}
	}
	return n.run(ctx, p, Greeting{Format: Format, Version: n.Version, PID: os.Getpid(), Limit: limit, Open: open, Reads: n.Reads})
}

func (n *New) run(ctx context.Context, p deadliner, g Greeting) error {
	defer p.Close()
	t := &talk{side: ByNew, pipe: p}
	limited, stop := t.within(ctx, ReadyWithin) // until the engine has moved
	defer stop()
	if err := t.say(encode(Hello, g)); err != nil {
		return t.failed(Starting, err)
	}
	for _, step := range [...]func(context.Context, *talk) error{n.listen, n.engine} {
		at := t.stage
		if err := step(limited, t); err != nil {
			if t.stage > at && t.stage < Over {
				at = t.stage
			}
			if !isRefused(err) {
				t.refuse(err)
			}
			return &Error{Stage: at, Err: err, Owner: ByOld}
		}
	}
	stop()
	_, stop = t.within(ctx, 1<<62) // the old process says how fast it goes
	defer stop()
	if err := n.sessions(ctx, t); err != nil {
		return &Error{Stage: t.stage, Err: err, Owner: ByNew}
	}
	return nil
}

func (n *New) listen(_ context.Context, t *talk) error {
	m, err := t.hear()
	if err != nil {
		return err
	}
	var names listenerNames
	if err := m.decode(&names); err != nil {
		m.close()
		return err
	}
	if len(names.Names) != len(m.fds) {
		defer m.close()
		return fmt.Errorf("%d listeners have %d descriptors", len(names.Names), len(m.fds))
	}
	var list []Listener
	for i, name := range names.Names {
		list = append(list, Listener{Name: name, FD: m.fds[i]})
	}
	if err := n.Listen(list); err != nil {
		return err
	}
	return t.say(message{kind: Ready})
}

// engine takes the engine.
func (n *New) engine(ctx context.Context, t *talk) error {
	m, err := t.hear()
	if err != nil {
		return err
	}
	if len(m.fds) != 1 {
		defer m.close()
		return fmt.Errorf("the engine comes with %d descriptors", len(m.fds))
	}
	link, err := connection(m.fds[0])
	if err != nil {
		return fmt.Errorf("the link cannot be used: %w", err)
	}
	if err := n.inherit(ctx, t, link); err != nil {
		n.Heir.Abandon()
		return err
	}
	n.Heir.Own()
	return nil
}

// inherit reads what the engine knows and takes it up.
func (n *New) inherit(ctx context.Context, t *talk, link net.Conn) error {
	r := &unchunked{talk: t}
	if err := n.Heir.Import(ctx, r, link); err != nil {
		if r.err != nil && r.err != io.EOF {
			err = r.err
		}
		return err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	if err := t.say(message{kind: Prepared}); err != nil {
		return err
	}
	if _, err := t.hear(); err != nil {
		return err
	}
	return taken(t.say(message{kind: Owned}))
}

// taken is for the word that something is taken up. Who cannot hear it any
// more lives no more, and has let go before.
func taken(err error) error {
	if isGone(err) {
		return nil
	}
	return err
}

// unchunked reads what chunks wrote.
type unchunked struct {
	talk *talk
	rest []byte
	err  error
}

func (u *unchunked) Read(b []byte) (int, error) {
	for len(u.rest) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		m, err := u.talk.hear()
		switch {
		case err != nil:
			u.err = err
		case m.kind == End:
			u.err = io.EOF
		default:
			u.rest = m.payload
		}
	}
	n := copy(b, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}

// sessions takes batches until the old process says goodbye.
func (n *New) sessions(ctx context.Context, t *talk) error {
	for {
		m, err := t.hear()
		if err != nil {
			return err
		}
		if m.kind == Goodbye {
			return nil
		}
		list, err := decodeBatch(&m)
		if err != nil {
			m.close()
			return err
		}
		a, refused := n.Crew.Adopt(ctx, list)
		for _, r := range refused {
			_ = closeDescriptor(list[r.Index].FD)
		}
		if err := n.batch(t, refused); err != nil {
			a.Discard()
			return err
		}
		a.Go()
	}
}

func (n *New) batch(t *talk, refused []Refused) error {
	if err := t.say(encode(Adopted, adopted{refused})); err != nil {
		return err
	}
	if _, err := t.hear(); err != nil {
		return err
	}
	return taken(t.say(message{kind: Running}))
}
