package journal

import (
	"os"
	"testing"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/enginetest"
)

// folder returns a folder in memory where there is one: most tests are not
// about the disk.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "holdfast-")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func factory(d Durability) enginetest.Factory {
	open := func(t *testing.T, dir string, sink engine.Sink, s enginetest.Setup) engine.Engine {
		e, err := Open(Config{Dir: dir, Durability: d, Rules: s.Rules, MaxBytes: s.MaxBytes, MaxKeys: s.MaxKeys}, sink)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		return e
	}
	return enginetest.Factory{
		New: func(t *testing.T, sink engine.Sink, s enginetest.Setup) engine.Engine {
			return open(t, folder(t), sink, s)
		},
		Again: func(t *testing.T, old engine.Engine, sink engine.Sink, s enginetest.Setup) engine.Engine {
			if err := old.(*Engine).Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, old.(*Engine).dir, sink, s)
		},
	}
}

func TestEngine_Async(t *testing.T) { enginetest.Run(t, factory(Async)) }
func TestEngine_Sync(t *testing.T)  { enginetest.Run(t, factory(Sync)) }
