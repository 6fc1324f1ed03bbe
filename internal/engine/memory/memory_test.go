package memory_test

import (
	"testing"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/enginetest"
	"holdfast.dev/holdfast/internal/engine/memory"
)

func TestMemory_IsAnEngine(t *testing.T) {
	enginetest.Run(t, enginetest.Factory{New: func(_ *testing.T, sink engine.Sink, s enginetest.Setup) engine.Engine {
		return memory.NewWith(sink, memory.Options{Rules: s.Rules, MaxBytes: s.MaxBytes, MaxKeys: s.MaxKeys})
	}})
}
