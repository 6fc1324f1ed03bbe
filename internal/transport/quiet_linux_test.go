package transport

import (
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// TestFleet_ClosesQuietSessionsFirst has every second client stop reading:
// those that have nothing due go first, wherever the search begins.
func TestFleet_ClosesQuietSessionsFirst(t *testing.T) {
	b := newBench(t, 20, func(_ *session.Policy, l *Limits) { l.MaxLag = 1 << 30 })
	b.round(wire.Publication{Channel: wire.Broadcast, Data: []byte(`"` + strings.Repeat("x", 500_000) + `"`)}, 4)
	for i := 0; i < len(b.far); i += 2 {
		for b.read(b.far[i]) > 0 {
			b.serve()
		}
	}
	count := func() (quiet, behind int) {
		b.table.each(0, func(c *conn) bool {
			switch {
			case c.state != open:
			case c.out == nil || c.out.lag == 0:
				quiet++
			default:
				behind++
			}
			return true
		})
		return quiet, behind
	}
	if quiet, behind := count(); quiet != 10 || behind != 10 {
		t.Fatalf("%d quiet, %d behind, want ten each", quiet, behind)
	}
	for n := 10; n > 0; n -= 2 {
		b.endSome(2)
		if quiet, behind := count(); quiet != n-2 || behind != 10 {
			t.Errorf("%d quiet, %d behind after two more were closed, want %d and 10", quiet, behind, n-2)
		}
	}
	b.endSome(3)
	if _, behind := count(); behind != 7 {
		t.Errorf("%d are open after thirteen of twenty were closed", behind)
	}
	if n := b.Restarts.Load(); n != 13 {
		t.Errorf("counted %d", n)
	}
}
