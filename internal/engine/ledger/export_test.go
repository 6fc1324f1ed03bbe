package ledger_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// seeded returns a random generator whose seed it logs. The variable
// HOLDFAST_SEED sets the seed.
func seeded(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	if s, err := strconv.ParseUint(os.Getenv("HOLDFAST_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("HOLDFAST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// audience is a sink that listens to some channels.
type audience struct {
	sink
	to        map[string]bool
	suspected int
}

func (e *audience) Suspect([]string) { e.suspected++ }

func (e *audience) Listens(channel string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.to[channel]
}

func (e *audience) listen(channel string, listens bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.to[channel] = listens
}

var mixed = ledger.Options{Epoch: "e", Rules: ledger.Rules{
	First: []ledger.Rule{
		{Channels: "none-*"},
		{Channels: "brief-*", Keep: ledger.Keep{Messages: 5, Age: 2 * time.Second}},
		{Channels: "small-*", Keep: ledger.Keep{Messages: 50, Age: time.Hour, Bytes: 2_000}},
	},
	Default: ledger.Keep{Messages: 20, Age: time.Minute},
}}

// names returns channels of all rules, many of them in few shards.
func names(n int) (list []string) {
	for i := 0; len(list) < n; i++ {
		name := fmt.Sprint([]string{"none-", "brief-", "small-", "other-"}[len(list)%4], i)
		if ledger.Shard(name) < 4 {
			list = append(list, name)
		}
	}
	return list
}

// wander does n things with a ledger.
func wander(t *testing.T, l *ledger.Ledger, e *audience, rng *rand.Rand, list []string, n int) {
	t.Helper()
	for range n {
		channel := list[rng.IntN(len(list))]
		switch rng.IntN(12) {
		case 0, 1, 2, 3, 4, 5:
			publish(t, l, channel, `"`+strings.Repeat("x", rng.IntN(1<<rng.IntN(10)))+`"`)
		case 6, 7:
			if _, err := l.Publish(t.Context(), wire.Publication{Channel: channel, Key: fmt.Sprint(rng.IntN(50)), Data: []byte(`1`)}); err != nil {
				t.Fatal(err)
			}
		case 8:
			e.listen(channel, true)
			l.Attach(channel)
		case 9:
			e.listen(channel, false)
			l.Detach(channel)
		case 10:
			if rng.IntN(3) == 0 {
				time.Sleep(time.Duration(rng.IntN(int(4 * time.Second))))
			}
		case 11:
			if rng.IntN(40) == 0 {
				time.Sleep(2 * time.Minute)
			}
		}
	}
}

// knows returns, as text, what a ledger answers of channels.
func knows(t *testing.T, l *ledger.Ledger, list []string) string {
	t.Helper()
	var b strings.Builder
	for _, channel := range list {
		top := l.Top(ledger.Shard(channel))
		for seq := uint64(0); seq <= top+1; seq++ {
			p := read(t, l, channel, seq)
			fmt.Fprintln(&b, channel, seq, p.Top, p.Complete, p.Gap, text(p.First, p.Last))
		}
		for e := read(t, l, channel, 0).First; e != nil; e = e.Next() {
			fmt.Fprintf(&b, "%d %d %d %s\n", e.Seq, e.At, e.Kind, e.Frame)
		}
	}
	return b.String()
}

// repeats returns, as text, how a ledger answers to used keys. It publishes.
func repeats(t *testing.T, l *ledger.Ledger, list []string) string {
	t.Helper()
	var b strings.Builder
	for _, channel := range list {
		for key := range 50 {
			ack, err := l.Publish(t.Context(), wire.Publication{Channel: channel, Key: fmt.Sprint(key), Data: []byte(`"again"`)})
			fmt.Fprintln(&b, channel, key, ack.ID, ack.Time.UnixNano(), ack.Duplicate, err)
		}
	}
	return b.String()
}

func exported(t testing.TB, l *ledger.Ledger) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := l.Export(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExport_TakesAlongAllThatIsKnown(t *testing.T) {
	rng := seeded(t)
	for range 5 {
		synctest.Test(t, func(t *testing.T) {
			list, e := names(12), &audience{to: make(map[string]bool)}
			l := ledger.New(e, mixed)
			go func() { _ = l.Run(t.Context()) }()
			wander(t, l, e, rng, list, rng.IntN(1500))
			sink := &audience{to: maps.Clone(e.to)}
			again, err := ledger.Import(bytes.NewReader(exported(t, l)), sink, mixed)
			if err != nil {
				t.Fatal(err)
			}
			for channel := range sink.to {
				again.Attach(channel)
			}
			if got, want := knows(t, again, list), knows(t, l, list); got != want {
				t.Fatalf("it knows\n%s\nwant\n%s", got, want)
			}
			if len(sink.got) > 0 {
				t.Fatalf("%d old messages are delivered", len(sink.got))
			}
			if got, want := again.HistoryBytes(), l.HistoryBytes(); got != want {
				t.Fatalf("it counts %d bytes, want %d", got, want)
			}
			if got, want := repeats(t, again, list), repeats(t, l, list); got != want {
				t.Fatalf("it answers\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// little is an export with something of everything.
func little(t testing.TB) []byte {
	l := ledger.New(&sink{}, mixed)
	for _, channel := range names(4) {
		l.Attach(channel)
		for i := range 3 {
			if _, err := l.Publish(t.Context(), wire.Publication{Channel: channel, Key: fmt.Sprint(i), Data: []byte(`"text"`)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	l.Attach("quiet")
	l.Own(true)
	return exported(t, l)
}

func TestImport_TakesNothingThatIsDamaged(t *testing.T) {
	whole := little(t)
	if _, err := ledger.Import(bytes.NewReader(whole), &sink{}, mixed); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := ledger.Import(bytes.NewReader(whole[:n]), &sink{}, mixed); err == nil {
			t.Fatalf("the first %d of %d bytes are taken", n, len(whole))
		}
		bad := slices.Clone(whole)
		bad[n] ^= 1 << (n % 8)
		if _, err := ledger.Import(bytes.NewReader(bad), &sink{}, mixed); err == nil {
			t.Fatalf("byte %d of %d may be changed", n, len(whole))
		}
	}
}

func TestImport_SaysThatAnotherVersionWroteIt(t *testing.T) {
	_, err := ledger.Import(strings.NewReader("holdfast ledger 2\nand more"), &sink{}, mixed)
	if want := `the history is "holdfast ledger 2\n"; this program reads "holdfast ledger 1\n"`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// FuzzReadSnapshot gives the decoder what has right checksums and anything in
// it.
func FuzzReadSnapshot(f *testing.F) {
	l := ledger.New(&sink{}, mixed)
	for _, channel := range names(4) {
		l.Attach(channel)
		if _, err := l.Publish(f.Context(), wire.Publication{Channel: channel, Key: "k", Data: []byte(`"text"`)}); err != nil {
			f.Fatal(err)
		}
	}
	for i := range 4 {
		p := l.Snapshot(i, 0, nil)
		var b bytes.Buffer
		if err := p.Write(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes()[4 : b.Len()-12])
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ledger.ReadSnapshot(bytes.NewReader(ledger.Blocks(text)))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := p.Write(&b); err != nil {
			t.Fatal(err)
		}
		again, err := ledger.ReadSnapshot(&b)
		if err != nil || again.Shard != p.Shard || again.Top != p.Top || len(again.Channels) != len(p.Channels) || len(again.Keys) != len(p.Keys) {
			t.Fatalf("%+v is read again as %+v: %v", p, again, err)
		}
		replica := ledger.New(&sink{}, mixed)
		replica.Freeze()
		_ = replica.Adopt(p)
		_ = replica.Adopt(again)
		replica.Own(true)
	})
}

// FuzzImport gives the decoder anything.
func FuzzImport(f *testing.F) {
	f.Add(little(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ledger.Import(bytes.NewReader(b), &sink{}, mixed)
		if err == nil {
			publish(t, l, "a", `1`)
		}
	})
}

// full returns a ledger that keeps 256 MiB.
func full(b *testing.B, size int) *ledger.Ledger {
	l := ledger.New(nothing{}, ledger.Options{Epoch: "e", Rules: hundred})
	data := []byte(`"` + strings.Repeat("x", size) + `"`)
	for i := 0; l.HistoryBytes() < 255<<20; i++ {
		if _, err := l.Publish(b.Context(), wire.Publication{Channel: fmt.Sprint("channel-", i%10_000), Data: data}); err != nil {
			b.Fatal(err)
		}
	}
	return l
}

func BenchmarkExport(b *testing.B) {
	for _, size := range []int{128, 4096} {
		l := full(b, size)
		b.Run(fmt.Sprint("write/", size), func(b *testing.B) {
			for b.Loop() {
				if err := l.Export(io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
		text := exported(b, l)
		l = nil
		b.Run(fmt.Sprint("read/", size), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := ledger.Import(bytes.NewReader(text), nothing{}, ledger.Options{Rules: hundred}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
