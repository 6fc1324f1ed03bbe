package transport

import (
	"bytes"
	"testing"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// TestSkip_TheOwnPlaceStandsBeforeAGapThatIsStillToBeTold has a client
// subscribe again while a gap is due to it: who resumed from behind the gap
// would never hear of it.
func TestSkip_TheOwnPlaceStandsBeforeAGapThatIsStillToBeTold(t *testing.T) {
	b := newBench(t, 1, func(_ *session.Policy, l *Limits) { l.MaxLag, l.SkipSlow = 16<<10, true })
	c := b.table.at(0)
	p := wire.Publication{Channel: wire.Broadcast, Data: bytes.Repeat([]byte("1"), 4000)}
	for c.out == nil || c.out.cursors[0].lost == nil {
		b.round(p, 1)
	}
	after := c.out.cursors[0].lost.after
	for range 3 {
		if place := b.carry(c).Reached(0); place != after || place.Seq == 0 {
			t.Fatalf("its place is said to be %v, the gap that is due begins after %v", place, after)
		}
		b.round(p, 1)
	}
	b.swallow()
	b.flush(c)
	for c.out != nil {
		b.swallow()
		b.flush(c)
	}
	if place, last := b.carry(c).Reached(0), c.session.Subscriptions[0].Feed.Reached(); place != last {
		t.Errorf("caught up, its place is said to be %v, want %v", place, last)
	}
}
