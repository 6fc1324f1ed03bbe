// Package memory is the engine that keeps messages in this process alone:
// each start is a new epoch.
package memory

import (
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// Options say what an engine keeps.
type Options struct {
	// Rules say what each channel keeps.
	Rules ledger.Rules
	// MaxBytes bounds what all channels keep together; 0 is
	// ledger.DefaultMaxBytes.
	MaxBytes int64
	// MaxKeys bounds how many idempotency keys are remembered; 0 is
	// ledger.DefaultMaxKeys.
	MaxKeys int
}

// Engine implements engine.Engine. It delivers what somebody listens to, and
// nothing else. Nothing that it does waits or fails for
// want of a disk or a network.
type Engine struct{ *ledger.Ledger }

// New returns an engine with a fresh epoch that delivers to sink and keeps
// for each channel what ledger.DefaultKeep says.
func New(sink engine.Sink) *Engine {
	return NewWith(sink, Options{Rules: ledger.Rules{Default: ledger.DefaultKeep}})
}

// NewWith returns an engine with a fresh epoch that delivers to sink.
func NewWith(sink engine.Sink, o Options) *Engine {
	return &Engine{ledger.New(sink, ledger.Options{
		Epoch: wire.NewEpoch(), Rules: o.Rules, MaxBytes: o.MaxBytes, MaxKeys: o.MaxKeys, Unheard: true,
	})}
}
