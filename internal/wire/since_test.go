package wire_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// TestParseSince_TakesNoLongerForAChannelAmongMany reads eight times the
// channels: that may take eight times as long, not sixty-four times.
func TestParseSince_TakesNoLongerForAChannelAmongMany(t *testing.T) {
	quickest := func(n int) time.Duration {
		var names, places []string
		for i := range n {
			names = append(names, fmt.Sprintf("channel-%d", i))
			places = append(places, names[i]+":e-1")
		}
		since, best := strings.Join(places, ","), time.Hour
		for range 20 {
			begun := time.Now()
			if _, err := wire.ParseSince(since, names, ""); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(begun))
		}
		return best
	}
	if few, many := quickest(500), quickest(4000); many > 30*few {
		t.Errorf("500 channels take %v, 4000 take %v", few, many)
	}
}
