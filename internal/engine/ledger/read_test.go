package ledger

import (
	"testing"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
)

// TestFill_EndsAtTheTopOfThePage has a log grow between the moment at which a
// page was begun and that at which its entries are counted.
func TestFill_EndsAtTheTopOfThePage(t *testing.T) {
	var log chanlog.Log
	entries := make([]*chanlog.Entry, 9)
	for i := range entries {
		entries[i] = &chanlog.Entry{Seq: uint64(i + 1)}
		log.Append(entries[i])
	}
	first, last := entries[2], entries[5]
	for limit, want := range map[int]engine.Page{
		0: {First: first, Last: last, Count: 4},
		3: {First: first, Last: entries[4], Count: 3, More: true},
		4: {First: first, Last: last, Count: 4},
		5: {First: first, Last: last, Count: 4},
	} {
		var p engine.Page
		if fill(&p, first, last, limit); p != want {
			t.Errorf("limit %d: %+v, want %+v", limit, p, want)
		}
	}
}
