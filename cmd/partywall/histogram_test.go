package main

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// nanoseconds are drawn evenly over the orders of magnitude.
func nanoseconds() *rapid.Generator[int64] {
	return rapid.Custom(func(t *rapid.T) int64 {
		bits := rapid.IntRange(0, 63).Draw(t, "bits")
		return rapid.Int64Range(0, math.MaxInt64>>(63-bits)).Draw(t, "ns")
	})
}

// A quantile is that of the sorted times, to a thirty-second.
func TestQuantile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(nanoseconds(), 1, 2000).Draw(t, "times")
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		// Two histograms, as of two goroutines.
		split := rapid.IntRange(0, len(times)).Draw(t, "split")
		var h, other histogram
		for _, ns := range times[:split] {
			h.record(ns)
		}
		for _, ns := range times[split:] {
			other.record(ns)
		}
		h.add(&other)

		slices.Sort(times)
		highest := times[len(times)-1]
		if h.count != uint64(len(times)) || h.max != highest {
			t.Fatalf("count %d, max %d, want %d, %d", h.count, h.max, len(times), highest)
		}
		want := highest
		if i := int(q * float64(len(times))); i < len(times) {
			want = times[i]
		}
		got := h.quantile(q)
		if off := math.Abs(float64(got) - float64(want)); off > float64(want)/32 {
			t.Fatalf("quantile(%v) = %d, want %d to a thirty-second", q, got, want)
		}
		if got > h.max {
			t.Fatalf("quantile(%v) = %d is above the maximum %d", q, got, h.max)
		}
	})
}

func TestQuantileRises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h histogram
		for _, ns := range rapid.SliceOf(nanoseconds()).Draw(t, "times") {
			h.record(ns)
		}
		last := int64(0)
		for _, q := range []float64{0, 0.1, 0.5, 0.9, 0.99, 0.999, 1} {
			if got := h.quantile(q); got < last {
				t.Fatalf("quantile(%v) = %d is below the one before, %d", q, got, last)
			} else {
				last = got
			}
		}
	})
}

func TestBuckets(t *testing.T) {
	for _, ns := range []int64{0, 1, 31, 32, 33, 63, 64, 65, 1 << 40, math.MaxInt64} {
		i := bucket(uint64(ns))
		if i < 0 || i >= len(histogram{}.buckets) {
			t.Fatalf("%d belongs in bucket %d", ns, i)
		}
		if off := math.Abs(float64(middle(i)) - float64(ns)); off > float64(ns)/64 {
			t.Errorf("%d lies in bucket %d, whose middle is %d", ns, i, middle(i))
		}
	}
	var h histogram
	if got := h.quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %d", got)
	}
	h.record(-5) // a clock that was set back
	if got := h.quantile(0.5); got != 0 {
		t.Errorf("the median of a negative time is %d", got)
	}
}
