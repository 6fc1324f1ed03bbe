package handover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// How long each step may take.
const (
	ReadyWithin  = 60 * time.Second // the new process, until it says hello
	ListenWithin = 5 * time.Second
	EngineWithin = 2 * time.Second // from the pause until publishes go on
	BatchWithin  = 2 * time.Second
)

// Error says at which step a handover ended, and why.
type Error struct {
	Stage Stage
	Err   error
	// Owner is who has the engine now.
	Owner Side
}

// Error says who serves on.
func (e *Error) Error() string {
	rest := "this process serves on as before"
	if e.Owner == ByNew {
		rest = "what has moved is served by the new process, the rest by the old one"
	}
	return fmt.Sprintf("the handover ended while %v: %v; %s", e.Stage, e.Err, rest)
}

func (e *Error) Unwrap() error { return e.Err }

// deadliner is a pipe whose waiting can be bounded.
type deadliner interface {
	pipe
	setDeadline(t time.Time)
	Close() error
}

// talk is one side of a conversation.
type talk struct {
	side  Side
	pipe  deadliner
	stage Stage
}

// say sends something if it may be said now.
func (t *talk) say(m message) error {
	next, ok := t.stage.After(t.side, m.kind)
	if !ok {
		return fmt.Errorf("%v cannot be said while %v", m.kind, t.stage)
	}
	if err := t.pipe.send(m); err != nil {
		if isGone(err) { // it may have said why
			if _, last := t.hear(); isRefused(last) {
				return last
			}
		}
		return err
	}
	t.stage = next
	return nil
}

// errRefused is a refusal of the other side.
type errRefused struct {
	by  Side
	why string
}

func (e *errRefused) Error() string { return e.by.String() + " refuses: " + e.why }

func isRefused(err error) bool {
	_, ok := errors.AsType[*errRefused](err)
	return ok
}

// hear waits for what the other side says and fits.
func (t *talk) hear() (message, error) {
	m, err := t.pipe.receive()
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = errLate
		} else if errors.Is(err, io.EOF) {
			err = errGone
		}
		return m, err
	}
	other := 1 - t.side
	next, ok := t.stage.After(other, m.kind)
	if !ok {
		m.close()
		return m, fmt.Errorf("%v says %v, which does not fit", other, m.kind)
	}
	t.stage = next
	if m.kind == Refuse {
		var r refusal
		if err := m.decode(&r); err != nil {
			return m, err
		}
		return m, &errRefused{other, r.Why}
	}
	return m, nil
}

// refuse tells the other side why not, if it can be told.
func (t *talk) refuse(err error) {
	t.pipe.setDeadline(time.Now().Add(time.Second))
	_ = t.say(encode(Refuse, refusal{err.Error()}))
}

var (
	errLate = errors.New("it took too long")
	errGone = errors.New("the other process is gone")
)

// within bounds the waiting for the other side until stop is called.
func (t *talk) within(ctx context.Context, d time.Duration) (limited context.Context, stop func()) {
	limited, cancel := context.WithTimeoutCause(ctx, d, errLate)
	deadline, _ := limited.Deadline()
	t.pipe.setDeadline(deadline)
	end := context.AfterFunc(ctx, func() { t.pipe.setDeadline(time.Unix(1, 0)) })
	return limited, func() {
		end()
		cancel()
		t.pipe.setDeadline(time.Time{})
	}
}

// failed makes the error of a conversation that ends now.
func (t *talk) failed(at Stage, err error) error {
	return &Error{Stage: at, Err: err, Owner: t.stage.EngineOf(t.side)}
}

// close closes the descriptors of a message that nobody wants.
func (m *message) close() {
	for _, fd := range m.fds {
		_ = closeDescriptor(fd)
	}
	m.fds = nil
}
