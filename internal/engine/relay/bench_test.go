//go:build unix

package relay_test

import (
	"context"
	"testing"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/engine/relay"
	"holdfast.dev/holdfast/internal/wire"
)

// BenchmarkPublish says what the door costs, and what a publish costs that
// goes to another process.
func BenchmarkPublish(b *testing.B) {
	p := wire.Publication{Channel: "news", Data: []byte(`"0123456789012345678901234567890123456789012345678901234567890123456789"`)}
	publish := func(b *testing.B, e engine.Engine) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := e.Publish(b.Context(), p); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("memory", func(b *testing.B) { publish(b, memory.New(deaf{})) })
	b.Run("door", func(b *testing.B) {
		m := memory.New(deaf{})
		publish(b, relay.New(deaf{}, m, m.Ledger))
	})
	b.Run("link", func(b *testing.B) {
		m := memory.New(deaf{})
		replica := ledger.New(deaf{}, ledger.Options{Epoch: m.Epoch(), Rules: plenty})
		d := relay.New(deaf{}, replica, replica)
		if err := d.Pause(b.Context()); err != nil {
			b.Fatal(err)
		}
		feed, _ := follow(b, d, m.Ledger, sockets)
		ended := make(chan error, 2)
		ctx, cancel := context.WithCancel(b.Context())
		go func() { ended <- d.Run(ctx) }()
		go func() { ended <- feed.Run(ctx, m) }()
		publish(b, d)
		cancel()
		<-ended
		<-ended
	})
}
