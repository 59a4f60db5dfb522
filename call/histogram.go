package call

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// histogram counts durations in buckets that grow by a quarter of a power of two. It
// may be used concurrently.
type histogram [160]atomic.Uint64 // up to 36 minutes; what takes longer is in the last

func (h *histogram) add(d time.Duration, n uint64) {
	h[min(bucketOf(uint64(max(d, 0))), len(h)-1)].Add(n)
}

// bucketOf numbers the buckets: 0 to 3 ns have one each, then each power of two has
// four.
func bucketOf(ns uint64) int {
	if ns < 4 {
		return int(ns)
	}
	e := bits.Len64(ns) - 1
	return (e-1)*4 + int(ns>>(e-2)&3)
}

// bucketFrom is the least duration in a bucket, in nanoseconds.
func bucketFrom(i int) uint64 {
	if i < 4 {
		return uint64(i)
	}
	return (4 + uint64(i%4)) << (i/4 - 1)
}

func (h *histogram) times() Times {
	var t Times
	for i := range h {
		if n := h[i].Load(); n > 0 {
			t = append(t, Span{time.Duration(bucketFrom(i)), time.Duration(bucketFrom(i + 1)), n})
		}
	}
	return t
}

// Times is a distribution of durations: how often each span was met, the shortest
// first. Spans that were never met are left out.
type Times []Span

// A Span is a range of durations, From <= d < To, and how often one was met.
type Span struct {
	From  time.Duration `json:"from_ns"`
	To    time.Duration `json:"to_ns"`
	Count uint64        `json:"count"`
}

// Count returns how many durations there are.
func (t Times) Count() uint64 {
	var n uint64
	for _, s := range t {
		n += s.Count
	}
	return n
}

// Quantile returns the duration that a fraction q of all do not exceed, 0 <= q <= 1:
// the upper end of its span, which is at most a quarter more than the truth. It
// returns 0 if there are none.
func (t Times) Quantile(q float64) time.Duration {
	count := t.Count()
	rest := min(max(uint64(math.Ceil(q*float64(count))), 1), count)
	if rest > 1 && float64(rest-1)/float64(count) >= q {
		rest-- // the product has been rounded up
	}
	for _, s := range t {
		if s.Count >= rest && s.Count > 0 {
			return s.To
		}
		rest -= s.Count
	}
	return 0
}
