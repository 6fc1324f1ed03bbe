package loadgen

import (
	"math/bits"
	"time"
)

// Histogram counts durations in buckets less than 1 % wide. The zero value is
// ready. It is not safe for concurrent use.
type Histogram struct {
	buckets []uint64
	count   uint64
	max     uint64
}

// Each power of two is split into subBuckets; below that, buckets are exact.
const (
	subBits    = 7
	subBuckets = 1 << subBits
	// longest is the largest duration told apart, about 73 minutes; longer
	// ones count as this.
	longest = 1<<42 - 1
)

func bucketOf(v uint64) int {
	shift := max(0, bits.Len64(v)-subBits-1)
	return shift<<subBits + int(v>>shift)
}

// upperEdge is the largest value that falls into a bucket.
func upperEdge(bucket int) uint64 {
	if bucket < 2*subBuckets {
		return uint64(bucket)
	}
	shift := bucket>>subBits - 1
	return uint64(bucket-shift<<subBits+1)<<shift - 1
}

// Record counts one duration; a negative one counts as zero.
func (h *Histogram) Record(d time.Duration) {
	if h.buckets == nil {
		h.buckets = make([]uint64, bucketOf(longest)+1)
	}
	v := uint64(max(0, min(d, longest)))
	h.buckets[bucketOf(v)]++
	h.count++
	h.max = max(h.max, v)
}

// Add counts everything that other has counted.
func (h *Histogram) Add(other *Histogram) {
	if other.count == 0 {
		return
	}
	if h.buckets == nil {
		h.buckets = make([]uint64, bucketOf(longest)+1)
	}
	for i, n := range other.buckets {
		h.buckets[i] += n
	}
	h.count += other.count
	h.max = max(h.max, other.max)
}

// Count is how many durations were recorded.
func (h *Histogram) Count() uint64 { return h.count }

// Max is the longest duration recorded, exactly.
func (h *Histogram) Max() time.Duration { return time.Duration(h.max) }

// Quantile is the duration that the share q (0 to 1) of all stay within, at
// most 1 % too large; zero when nothing was recorded.
func (h *Histogram) Quantile(q float64) time.Duration {
	want := max(1, uint64(q*float64(h.count)+0.5))
	var seen uint64
	for i, n := range h.buckets {
		if seen += n; seen >= want && n > 0 {
			return time.Duration(min(upperEdge(i), h.max))
		}
	}
	return time.Duration(h.max)
}

// Latency is a histogram in three numbers, in milliseconds.
type Latency struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

// Summary gives the histogram's usual three numbers.
func (h *Histogram) Summary() Latency {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return Latency{P50: ms(h.Quantile(0.5)), P99: ms(h.Quantile(0.99)), Max: ms(h.Max())}
}
