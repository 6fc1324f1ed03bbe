package hub_test

import (
	"fmt"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/wire"
)

func TestHistory_StaysWithinItsBounds(t *testing.T) {
	h := newHub()
	var ids []wire.ID
	for i := range 10 {
		ids = append(ids, publish(t, h, "news", fmt.Sprintf(`"%d%s"`, i, strings.Repeat("x", 900))).ID)
	}
	for _, c := range []struct {
		since        wire.ID
		limit, bytes int
		first, count int
		complete     bool
		next         wire.ID
	}{
		{wire.ID{}, 100, 1 << 20, 0, 10, true, ids[9]},
		{wire.ID{}, 3, 1 << 20, 7, 3, false, ids[9]},
		{wire.ID{}, 100, 2500, 8, 2, false, ids[9]},
		{wire.ID{}, 100, 1, 9, 1, false, ids[9]},
		{ids[1], 100, 1 << 20, 2, 8, true, ids[9]},
		{ids[1], 3, 1 << 20, 2, 3, true, ids[4]},
		{ids[1], 100, 2500, 2, 2, true, ids[3]},
		{ids[1], 100, 1, 2, 1, true, ids[2]},
		{ids[9], 100, 1, 10, 0, true, ids[9]},
		{wire.ID{Epoch: "other", Seq: 1}, 2, 1 << 20, 0, 2, false, ids[1]},
	} {
		page, err := h.History("news", c.since, c.limit, c.bytes)
		if err != nil {
			t.Fatal(err)
		}
		text := string(page.Append(nil))
		if page.Count != c.count || page.Complete != c.complete || page.Next != c.next || strings.Count(text, `"message"`) != c.count {
			t.Errorf("%+v: %d messages, complete %v, next %v", c, page.Count, page.Complete, page.Next)
		}
		if c.count > 0 && !strings.Contains(text[:150], fmt.Sprintf(`"data":"%dx`, c.first)) {
			t.Errorf("%+v begins with %.150s", c, text)
		}
	}
}
