package ledger_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// TestLedger_NeverExceedsItsBoundByMoreThanOneMessageAPublisher has many
// publish to many channels and looks all the while.
func TestLedger_NeverExceedsItsBoundByMoreThanOneMessageAPublisher(t *testing.T) {
	const publishers, each, limit, longest = 8, 3000, 300_000, 3000
	l := ledger.New(nothing{}, ledger.Options{Epoch: "e", Rules: hundred, MaxBytes: limit})
	var wg sync.WaitGroup
	for n := range publishers {
		wg.Go(func() {
			data := make([]byte, longest-800)
			for i := range each {
				_, _ = l.Publish(t.Context(), wire.Publication{Channel: fmt.Sprint("c", (i*31+n)%500), Data: data[:i%len(data)]})
				if got := l.HistoryBytes(); got > limit+publishers*longest {
					t.Errorf("%d bytes are kept", got)
				}
			}
		})
	}
	wg.Wait()
	if got := l.HistoryBytes(); got > limit || got < limit/2 {
		t.Errorf("%d bytes are kept in the end", got)
	}
	if l.Evicted().Process == 0 {
		t.Error("nothing was evicted for the bound of the process")
	}
}

// TestLedger_CountsWhatChannelsTake compares HistoryBytes with the heap.
func TestLedger_CountsWhatChannelsTake(t *testing.T) {
	before := heap()
	l := ledger.New(nothing{}, ledger.Options{Epoch: "e", Rules: ledger.Rules{Default: ledger.DefaultKeep}})
	const channels = 200_000
	for i := range channels {
		_, _ = l.Publish(t.Context(), wire.Publication{Channel: fmt.Sprint("channel-", i), Data: []byte(`{"text":"hello"}`)})
	}
	took, said := int64(heap()-before), l.HistoryBytes()
	t.Logf("%d bytes a channel, counted as %d", took/channels, said/channels)
	if took > said*12/10 || took < said*6/10 {
		t.Errorf("%d channels take %d bytes; counted are %d", channels, took, said)
	}
	runtime.KeepAlive(l)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestRules_TheFirstThatCoversAChannelCounts(t *testing.T) {
	r := ledger.Rules{
		First: []ledger.Rule{
			{Channels: "a-*", Keep: ledger.Keep{Messages: 1}},
			{Channels: "a-b", Keep: ledger.Keep{Messages: 2}},
			{Channels: "b", Keep: ledger.Keep{Messages: 3}},
		},
		Default: ledger.Keep{Messages: 4, Age: time.Second},
	}
	for channel, want := range map[string]int{"a-": 1, "a-b": 1, "b": 3, "bb": 4, "a": 4} {
		if got := r.For(channel).Messages; got != want {
			t.Errorf("%s keeps %d messages, want %d", channel, got, want)
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	for _, channels := range []int{1, 10_000} {
		for _, key := range []string{"", "k"} {
			b.Run(fmt.Sprintf("channels=%d/key=%v", channels, key != ""), func(b *testing.B) {
				l := ledger.New(nothing{}, ledger.Options{Epoch: "e", Rules: hundred, MaxBytes: 64 << 20})
				names := make([]string, channels)
				for i := range names {
					names[i] = fmt.Sprint("channel-", i)
				}
				p := wire.Publication{Data: make([]byte, 128)}
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					p.Channel = names[i%channels]
					if key != "" {
						p.Key = fmt.Sprint(i)
					}
					_, _ = l.Publish(b.Context(), p)
				}
			})
		}
	}
}
