package enginetest

import (
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
)

// Setup is what a test asks of an engine. Zero fields are the engine's own
// defaults, but that zero Rules keep nothing.
type Setup struct {
	Rules    ledger.Rules
	MaxBytes int64
	MaxKeys  int
}

// Factory makes the engines that are tested.
type Factory struct {
	// New returns an engine that delivers to sink, on a store of its own that
	// is empty. It starts nothing: the suite calls Run, and awaits it before
	// the test ends.
	New func(t *testing.T, sink engine.Sink, s Setup) engine.Engine
	// Again returns an engine on the store of old, whose Run has returned.
	// Nil is for engines that keep nothing: the suite then expects that a new
	// one has a new epoch.
	Again func(t *testing.T, old engine.Engine, sink engine.Sink, s Setup) engine.Engine
	// Outside has the tests run outside of bubbles, and leaves out those that
	// let minutes pass.
	Outside bool
}

// Run runs the suite.
func Run(t *testing.T, f Factory) {
	for _, half := range [][]test{order, reads, retention, keys, listening, restarts, random, loss} {
		for _, test := range half {
			t.Run(test.name, func(t *testing.T) { f.run(t, test) })
		}
	}
}

// test is one test of the suite.
type test struct {
	name  string
	setup Setup
	slow  bool // lets minutes pass
	bare  bool // makes its own engine
	run   func(r *rig)
}

func (f Factory) run(t *testing.T, test test) {
	if f.Outside {
		if test.slow {
			t.Skip("lets minutes pass, which this engine cannot do in a bubble")
		}
		newRig(t, f, test.setup).play(test)
		return
	}
	synctest.Test(t, func(t *testing.T) { newRig(t, f, test.setup).play(test) })
}

// Rules that tests use.
var (
	hundred = ledger.Rules{Default: ledger.Keep{Messages: 100, Age: 10 * time.Minute}}
	all     = ledger.Rules{Default: ledger.Keep{Messages: 1 << 20, Age: time.Hour}}
)
