package ledger

import (
	"fmt"
	"testing"
)

// TestShard_NeverChanges holds numbers that journals on disks depend on.
func TestShard_NeverChanges(t *testing.T) {
	for name, want := range map[string]int{
		"": 55, "a": 18, "news": 47, "broadcast": 5, "user:ann": 1, "orders.eu-west-1.customer.4711": 58,
	} {
		if got := Shard(name); got != want {
			t.Errorf("%q is in shard %d, was in %d", name, got, want)
		}
	}
}

func TestShard_SpreadsNamesThatAreAlike(t *testing.T) {
	for _, form := range []string{"c%d", "user:%08d", "orders.%d.status", "%d"} {
		var count [Shards]int
		const n = 64_000
		for i := range n {
			count[Shard(fmt.Sprintf(form, i))]++
		}
		for i, c := range count {
			if c < n/Shards*8/10 || c > n/Shards*12/10 {
				t.Errorf("%s: shard %d has %d of %d channels", form, i, c, n)
			}
		}
	}
}
