package drain

import (
	"encoding/json"
	"testing"
	"time"
)

type drainingFrame struct {
	Type      string
	Reason    string
	ForcedIn  int64  `json:"forced_in_ms"`
	LeaveIn   *int64 `json:"leave_in_ms"`
	Cancelled bool
}

func frameOf(t *testing.T, n Notice, now time.Time) (f drainingFrame, move time.Duration) {
	t.Helper()
	p, move := n.Append([]byte("before"), now)
	if err := json.Unmarshal(p[len("before"):], &f); err != nil || f.Type != "draining" {
		t.Fatalf("%s: %v", p, err)
	}
	return f, move
}

// TestNotice_DrawsEachSessionItsOwnMoment draws many: each tenth of the time
// has its tenth of them, and none lies outside.
func TestNotice_DrawsEachSessionItsOwnMoment(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	n := Notice{ForcedAt: now.Add(30 * time.Minute), MoveBy: now.Add(24 * time.Minute)}
	const sessions = 10_000
	var tenths [10]int
	for range sessions {
		f, move := frameOf(t, n, now)
		if f.ForcedIn != 30*60e3 || f.LeaveIn == nil || *f.LeaveIn != move.Milliseconds() || f.Reason != "restart" || f.Cancelled {
			t.Fatalf("%+v, %v", f, move)
		}
		if move < 0 || move > 24*time.Minute {
			t.Fatalf("invited to move in %v, want 24m at most", move)
		}
		tenths[min(9, int(10*move/(24*time.Minute)))]++
	}
	for i, k := range tenths {
		if k < sessions/10*8/10 || k > sessions/10*12/10 {
			t.Errorf("%d of %d moments are in tenth %d", k, sessions, i)
		}
	}
}

func TestNotice_InvitesNobodyWithoutAPlaceToGo(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	if f, move := frameOf(t, Notice{ForcedAt: now.Add(time.Minute)}, now); f.LeaveIn != nil || move >= 0 || f.ForcedIn != 60e3 {
		t.Errorf("%+v, %v", f, move)
	}
	if f, move := frameOf(t, Notice{Cancelled: true}, now); !f.Cancelled || f.LeaveIn != nil || move >= 0 || f.Reason != "called_off" {
		t.Errorf("%+v, %v", f, move)
	}
	late := Notice{ForcedAt: now, MoveBy: now.Add(-time.Minute)}
	if f, move := frameOf(t, late, now.Add(time.Second)); f.ForcedIn != 0 || move < 0 || move > time.Millisecond {
		t.Errorf("told too late: %+v, %v", f, move)
	}
}
