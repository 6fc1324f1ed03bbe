package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// How often a key set is fetched.
const (
	renewEvery  = 10 * time.Minute // while all is well
	retryEvery  = time.Minute      // after a failure, with the old keys in use
	firstEvery  = 10 * time.Second // after a failure, without any key
	unknownOnce = time.Minute      // for a key id that is not in the set
)

// longestWait bounds how long one token waits for a fetch.
const longestWait = fetchTimeout + time.Second

// remote is a key set at a URL. One goroutine, run, fetches it; any may ask
// for that and wait.
type remote struct {
	// Static after construction.
	url    string
	shown  string // the URL without its query, for people
	client *http.Client
	log    *slog.Logger
	now    func() time.Time
	asked  chan struct{} // holds one when a fetch is wanted

	mu      sync.Mutex
	current []key         // of the last fetch that went well
	failure error         // why the last fetch failed, nil when it did not
	begun   time.Time     // when the last fetch began, zero before the first
	pending bool          // a fetch is wanted or under way
	over    chan struct{} // closed when the next fetch ends
}

func newRemote(text string, log *slog.Logger, now func() time.Time) (*remote, error) {
	u, err := parseKeysURL(text)
	if err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return &remote{
		url: text, shown: shown.String(), client: keysClient(u), log: log, now: now,
		asked: make(chan struct{}, 1), over: make(chan struct{}),
		pending: true, // by run, first of all
	}, nil
}

// run fetches until ctx is done.
func (r *remote) run(ctx context.Context) error {
	defer r.client.CloseIdleConnections()
	for {
		timer := time.NewTimer(r.fetch(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-r.asked:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// fetch fetches the set once, lets those go on who wait for that, and returns
// when to fetch it again.
func (r *remote) fetch(ctx context.Context) time.Duration {
	r.mu.Lock()
	r.pending = true
	r.begun = r.now()
	select {
	case <-r.asked: // answered by this one
	default:
	}
	r.mu.Unlock()
	keys, err := r.get(ctx)
	if err != nil && ctx.Err() != nil {
		err = errors.New("the server stops")
	}

	r.mu.Lock()
	before, first := r.failure, r.current == nil
	if r.failure = err; err == nil {
		r.current = keys
	}
	empty := r.current == nil
	r.pending = false
	close(r.over)
	r.over = make(chan struct{})
	r.mu.Unlock()

	switch {
	case ctx.Err() != nil:
	case err == nil && (first || before != nil):
		r.log.Info("token keys fetched", "url", r.shown, "keys", len(keys))
	case err != nil && before == nil && empty:
		r.log.Warn("token keys cannot be fetched; tokens are refused until they are", "url", r.shown, "error", err)
	case err != nil && before == nil:
		r.log.Warn("token keys cannot be fetched; those fetched before stay in use", "url", r.shown, "error", err)
	}
	switch {
	case err == nil:
		return renewEvery
	case empty:
		return firstEvery
	default:
		return retryEvery
	}
}

// keys returns the keys of the set. It waits for the first fetch.
func (r *remote) keys(ctx context.Context) ([]key, *wire.Error) {
	r.mu.Lock()
	keys, over, pending := r.current, r.over, r.pending
	r.mu.Unlock()
	if keys == nil && pending {
		wait(ctx, over)
	}
	return r.have()
}

// renewed returns the keys of a set that was fetched within the last minute,
// for a token whose key is not in the set at hand.
func (r *remote) renewed(ctx context.Context) ([]key, *wire.Error) {
	r.mu.Lock()
	over, fresh := r.over, !r.pending && r.now().Sub(r.begun) < unknownOnce
	if !fresh && !r.pending {
		r.pending = true
		r.asked <- struct{}{} // has room: pending was false
	}
	r.mu.Unlock()
	if !fresh {
		wait(ctx, over)
	}
	return r.have()
}

// have returns the keys at hand.
func (r *remote) have() ([]key, *wire.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current != nil {
		return r.current, nil
	}
	if r.failure != nil {
		return nil, wire.Errorf(wire.Unavailable, "the keys to verify tokens with cannot be fetched from %s now; try again in a few seconds", r.shown)
	}
	return nil, wire.Errorf(wire.Unavailable, "the keys to verify tokens with have not been fetched yet; try again in a few seconds")
}

// wait waits for a fetch to end, a few seconds at most.
func wait(ctx context.Context, over <-chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	select {
	case <-over:
	case <-ctx.Done():
	}
}
