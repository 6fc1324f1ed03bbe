package httpapi

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestGrudge_LogsEachOnceAnHourAndForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g grudge
		if !g.first("a") || g.first("a") || !g.first("b") {
			t.Error("not once each")
		}
		time.Sleep(59 * time.Minute)
		if g.first("a") {
			t.Error("again within the hour")
		}
		time.Sleep(time.Minute)
		if !g.first("a") {
			t.Error("not after an hour")
		}
	})
}

func TestGrudge_KeepsABoundedNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g grudge
		logged := 0
		for i := range 10 * grudges {
			if g.first(fmt.Sprint(i)) {
				logged++
			}
		}
		if logged != grudges || len(g.seen) != grudges {
			t.Errorf("%d logged, %d kept, want %d", logged, len(g.seen), grudges)
		}
		time.Sleep(grudgeFor)
		if !g.first("later") || len(g.seen) != 1 {
			t.Errorf("an hour later %d are kept", len(g.seen))
		}
	})
}
