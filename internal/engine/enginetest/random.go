package enginetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

var random = []test{
	{name: "RandomUse", slow: true, run: randomUse, setup: Setup{MaxBytes: 200_000, Rules: ledger.Rules{
		First: []ledger.Rule{
			{Channels: "none-*"},
			{Channels: "brief-*", Keep: ledger.Keep{Messages: 50, Age: 2 * time.Second}},
			{Channels: "small-*", Keep: ledger.Keep{Messages: 50, Age: time.Hour, Bytes: 2_000}},
		},
		Default: ledger.Keep{Messages: 20, Age: 30 * time.Second},
	}}},
}

// randomUse does this and that in any order, and holds each answer against
// what was published. HOLDFAST_SEED replays a run.
func randomUse(r *rig) {
	rng := seeded(r.T)
	var names []string
	for i := range 12 {
		names = append(names, fmt.Sprint([]string{"none-", "brief-", "small-", "other-"}[i%4], i))
	}
	used := make(map[string]wire.Publication)
	for range 6000 {
		channel := names[rng.IntN(len(names))]
		switch rng.IntN(12) {
		case 0, 1, 2, 3, 4:
			r.publish(channel, `"`+strings.Repeat("x", rng.IntN(1<<rng.IntN(12)))+`"`)
		case 5:
			p := wire.Publication{Channel: channel, Key: fmt.Sprint(rng.IntN(1000)), Data: []byte(`"k"`)}
			if _, again := used[channel+p.Key]; !again {
				r.try(p)
			}
			used[channel+p.Key] = p
		case 6, 7, 8:
			r.readSomewhere(rng, channel)
		case 9:
			r.listen(channel)
		case 10:
			if r.sink.Listens(channel) {
				r.leave(channel)
			}
		case 11:
			if rng.IntN(10) == 0 {
				time.Sleep(time.Duration(rng.IntN(int(20 * time.Second))))
			}
		}
	}
	time.Sleep(2 * time.Hour)
	for _, channel := range names {
		r.check(channel, wire.ID{Epoch: r.read(channel, wire.ID{}, 0).Top.Epoch}, 0, r.read(channel, wire.ID{Epoch: r.read(channel, wire.ID{}, 0).Top.Epoch}, 0), true)
	}
}

// readSomewhere reads a channel from a random place.
func (r *rig) readSomewhere(rng *rand.Rand, channel string) {
	r.Helper()
	top := r.read(channel, wire.ID{}, 0).Top
	since := wire.ID{Epoch: top.Epoch, Seq: rng.Uint64N(top.Seq + 1)}
	if list := r.published[channel]; len(list) > 0 && rng.IntN(3) > 0 {
		since.Seq = list[max(0, len(list)-1-rng.IntN(30))].id.Seq
	}
	limit := rng.IntN(2) * rng.IntN(30)
	r.check(channel, since, limit, r.read(channel, since, limit), true)
}
