package wire_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

func TestAppendTime_WritesTimeFormat(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 20_000 {
		// Years -170 to 12,000.
		at := time.Unix(rng.Int64N(384_000_000_000)-67_500_000_000, rng.Int64N(1e9)).In(time.FixedZone("", rng.IntN(80_000)-40_000))
		if got, want := string(wire.AppendTime(nil, at)), at.UTC().Format(wire.TimeFormat); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
}

func BenchmarkAppendTime(b *testing.B) {
	at, room := time.Now(), make([]byte, 0, 64)
	for b.Loop() {
		wire.AppendTime(room, at)
	}
}
