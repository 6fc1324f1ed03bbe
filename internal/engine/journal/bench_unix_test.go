//go:build unix

package journal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/journal/boltfile"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/engine/memory"
	"holdfast.dev/holdfast/internal/wire"
)

var usual = ledger.Rules{Default: ledger.DefaultKeep}

// running opens an engine on dir and runs it until the test ends.
func running(t testing.TB, c Config) *Engine {
	t.Helper()
	e, err := Open(c, nobody{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// BenchmarkPublish compares what a publish costs at full speed, memory alone
// and with an asynchronous journal on the disk of the temporary folder.
func BenchmarkPublish(b *testing.B) {
	for _, channels := range []int{1, 10_000} {
		names := make([]string, channels)
		for i := range names {
			names[i] = fmt.Sprint("channel-", i)
		}
		b.Run(fmt.Sprintf("channels=%d/memory", channels), func(b *testing.B) {
			benchPublish(b, memory.New(nobody{}), names)
		})
		b.Run(fmt.Sprintf("channels=%d/async", channels), func(b *testing.B) {
			dir := b.TempDir()
			benchPublish(b, running(b, Config{Dir: dir, Rules: usual}), names)
			info, _ := os.Stat(filepath.Join(dir, fileName))
			b.ReportMetric(float64(info.Size())/(1<<20), "MiB")
		})
	}
}

func benchPublish(b *testing.B, e engine.Engine, names []string) {
	data := []byte(`"` + strings.Repeat("x", 126) + `"`)
	b.ReportAllocs()
	before := processorTime(b)
	for i := 0; b.Loop(); i++ {
		if _, err := e.Publish(b.Context(), wire.Publication{Channel: names[i%len(names)], Data: data}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// processorTime returns what this process has used of all processors.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSync has publishers wait for the disk, and measures that in the
// same run.
func BenchmarkSync(b *testing.B) {
	for _, publishers := range []int{1, 64, 512} {
		for _, channels := range []int{1, 64} {
			b.Run(fmt.Sprintf("publishers=%d/channels=%d", publishers, channels), func(b *testing.B) {
				dir := b.TempDir()
				fsync := fsyncTime(b, dir)
				e := running(b, Config{Dir: dir, Durability: Sync, Rules: usual})
				data := []byte(`"` + strings.Repeat("x", 126) + `"`)
				var n atomic.Int64
				var wg sync.WaitGroup
				b.ResetTimer()
				before := processorTime(b)
				for p := range publishers {
					wg.Go(func() {
						for n.Add(1) <= int64(b.N) {
							if _, err := e.Publish(context.Background(), wire.Publication{Channel: fmt.Sprint("c", p%channels), Data: data}); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
				b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
				b.ReportMetric(float64(fsync.Microseconds()), "µs/fsync")
				b.ReportMetric(float64(b.N)/float64(transactions(b, dir)), "publishes/batch")
			})
		}
	}
}

// transactions returns how many were ever committed to a journal.
func transactions(b *testing.B, dir string) uint64 {
	b.Helper()
	f, err := os.Open(filepath.Join(dir, fileName))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	tx, _, err := boltfile.Transaction(f, 1<<20)
	if err != nil {
		b.Fatal(err)
	}
	return tx
}

// fsyncTime returns the median of what it takes to write 4 KiB and sync them.
func fsyncTime(b *testing.B, dir string) time.Duration {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var took []time.Duration
	for range 200 {
		start := time.Now()
		if _, err := f.WriteAt(make([]byte, 4096), 0); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	return took[len(took)/2]
}
