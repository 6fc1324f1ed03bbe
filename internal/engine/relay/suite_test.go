package relay_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/enginetest"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/engine/relay"
)

// deaf is the sink of an owner without clients.
type deaf struct{}

func (deaf) Deliver(engine.Message) {}
func (deaf) Suspect([]string)       {}
func (deaf) Listens(string) bool    { return false }

// pair is a follower and its owner, run together.
type pair struct {
	*relay.Engine
	t     *testing.T
	owner *memory.Engine
	feed  *relay.Feed
}

// Run implements engine.Engine.
func (p *pair) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _ = p.owner.Run(ctx) })
	wg.Go(func() {
		if err := p.feed.Run(ctx, p.owner); err != nil && ctx.Err() == nil {
			p.t.Error(err)
		}
	})
	return p.Engine.Run(ctx)
}

// HistoryBytes is asked by the suite.
func (p *pair) HistoryBytes() int64 { return p.Ledger().HistoryBytes() }

// follow has d follow the ledger of an owner.
func follow(t testing.TB, d *relay.Engine, owner *ledger.Ledger, conn func(testing.TB) (net.Conn, net.Conn)) (*relay.Feed, *relay.Link) {
	t.Helper()
	here, there := conn(t)
	var feed *relay.Feed
	var wg sync.WaitGroup
	wg.Go(func() {
		var err error
		if feed, err = relay.Answer(t.Context(), there, owner); err != nil {
			t.Error(err)
		}
	})
	link, err := relay.Greet(t.Context(), here, d.Ledger())
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	d.Follow(link)
	return feed, link
}

func pipe(testing.TB) (net.Conn, net.Conn) { return net.Pipe() }

func factory(conn func(testing.TB) (net.Conn, net.Conn)) enginetest.Factory {
	return enginetest.Factory{New: func(t *testing.T, sink engine.Sink, s enginetest.Setup) engine.Engine {
		owner := memory.NewWith(deaf{}, memory.Options{Rules: s.Rules, MaxBytes: s.MaxBytes, MaxKeys: s.MaxKeys})
		replica := ledger.New(sink, ledger.Options{Epoch: owner.Epoch(), Rules: s.Rules, MaxBytes: s.MaxBytes})
		d := relay.New(sink, replica, replica)
		if err := d.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		feed, _ := follow(t, d, owner.Ledger, conn)
		return &pair{Engine: d, t: t, owner: owner, feed: feed}
	}}
}

// TestEngine_Following runs the suite on a follower over a pipe, in bubbles.
func TestEngine_Following(t *testing.T) { enginetest.Run(t, factory(pipe)) }

// TestEngine_Owning runs it on the door alone.
func TestEngine_Owning(t *testing.T) {
	enginetest.Run(t, enginetest.Factory{New: func(_ *testing.T, sink engine.Sink, s enginetest.Setup) engine.Engine {
		m := memory.NewWith(sink, memory.Options{Rules: s.Rules, MaxBytes: s.MaxBytes, MaxKeys: s.MaxKeys})
		return relay.New(sink, m, m.Ledger)
	}})
}
