package loadgen

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogram_IsWithinOnePercent(t *testing.T) {
	var h Histogram
	var all []time.Duration
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		d := time.Duration(random.ExpFloat64() * float64(3*time.Millisecond))
		all = append(all, d)
		h.Record(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		got, want := h.Quantile(q), all[int(q*float64(len(all))+0.5)-1]
		if got < want || float64(got) > 1.01*float64(want) {
			t.Errorf("quantile %v is %v, want %v or up to 1 %% more", q, got, want)
		}
	}
	if h.Max() != all[len(all)-1] {
		t.Errorf("max %v, want %v", h.Max(), all[len(all)-1])
	}
}

func TestHistogram_TakesWhateverItIsGiven(t *testing.T) {
	var h, other, none Histogram
	if h.Quantile(0.5) != 0 || h.Summary() != (Latency{}) {
		t.Error("an empty histogram has a quantile")
	}
	h.Record(-time.Second)
	h.Record(1 << 62)
	other.Record(time.Second)
	h.Add(&other)
	h.Add(&none)
	none.Add(&other)
	if h.Count() != 3 || h.Max() != longest || h.Quantile(0) != 0 || none.Max() != time.Second {
		t.Errorf("count %d, max %v, least %v, sum %v", h.Count(), h.Max(), h.Quantile(0), none.Max())
	}
}

func TestHistogram_BucketsMeet(t *testing.T) {
	for v := range uint64(100_000) {
		b := bucketOf(v)
		if v > upperEdge(b) || b > 0 && v <= upperEdge(b-1) {
			t.Fatalf("%d is in bucket %d, whose upper edges are %d and %d", v, b, upperEdge(b-1), upperEdge(b))
		}
	}
}
