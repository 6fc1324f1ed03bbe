package transport

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// body is the answer to a request as a stream carries it: bytes that are
// written are sent at once, and nothing is ever read but the end of the
// request.
type body struct {
	// Static after newBody.
	w       http.ResponseWriter
	control *http.ResponseController
	gone    context.Context // done when the client is
	closed  chan struct{}
	once    sync.Once // closes it

	writing sync.Mutex // held while w is being written to

	mu       sync.Mutex
	answered bool // w may not be used any more; guarded by mu
}

// newBody begins the answer.
func newBody(w http.ResponseWriter, r *http.Request) *body {
	b := &body{w: w, control: http.NewResponseController(w), gone: r.Context(), closed: make(chan struct{})}
	_ = b.control.SetWriteDeadline(time.Time{}) // whoever carries it knows how long to wait
	w.WriteHeader(http.StatusOK)
	return b
}

// Read waits for the end of the request or of the answer.
func (b *body) Read([]byte) (int, error) {
	select {
	case <-b.gone.Done():
	case <-b.closed:
	}
	return 0, io.EOF
}

// Write sends p. It waits while the client takes nothing.
func (b *body) Write(p []byte) (int, error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	select {
	case <-b.closed:
		return 0, net.ErrClosed
	default:
	}
	n, err := b.w.Write(p)
	if err == nil {
		err = b.control.Flush()
	}
	return n, err
}

// SetDeadline ends a write that takes longer.
func (b *body) SetDeadline(at time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answered {
		return net.ErrClosed
	}
	return b.control.SetWriteDeadline(at)
}

// CloseWrite ends the answer, behind what was written.
func (b *body) CloseWrite() error { return b.Close() }

// Close ends the answer, behind what was written.
func (b *body) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// wait returns when the answer is over and w no longer used. done says that
// nobody is left to end it.
func (b *body) wait(done <-chan struct{}) {
	select {
	case <-b.closed:
	case <-done:
		_ = b.Close()
	}
	select {
	case <-b.gone.Done():
	default:
		_ = b.SetDeadline(time.Now().Add(farewell)) // for a write under way
	}
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answered = true
}
