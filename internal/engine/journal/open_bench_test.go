package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// BenchmarkOpen opens a journal with 256 MiB of history, small messages in
// many channels.
func BenchmarkOpen(b *testing.B) {
	c := Config{Dir: b.TempDir(), Rules: ledger.Rules{Default: ledger.Keep{Messages: 1 << 20, Age: time.Hour}}}
	e := open(b, c)
	data := []byte(`"` + strings.Repeat("x", 126) + `"`)
	now := time.Now()
	for i := 0; e.HistoryBytes() < 255<<20; i++ {
		if _, later, err := e.Submit(wire.Publication{Channel: fmt.Sprint("channel-", i%20_000), Data: data}, nop); err != nil {
			b.Fatal(err)
		} else if later || i%50_000 == 0 {
			e.step(now)
		}
	}
	if err := e.finish(); err != nil {
		b.Fatal(err)
	}
	if err := e.Close(); err != nil {
		b.Fatal(err)
	}
	info, _ := os.Stat(filepath.Join(c.Dir, fileName))
	b.ResetTimer()
	for b.Loop() {
		e, err := Open(c, nobody{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(e.Report().Messages), "messages")
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(info.Size())/(1<<20), "MiB")
}

func nop(engine.Ack, error) {}
