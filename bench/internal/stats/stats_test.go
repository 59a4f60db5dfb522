package stats

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBuckets(t *testing.T) {
	for _, v := range []uint64{0, 1, 31, 32, 33, 63, 64, 1000, 1 << 20, 1<<40 + 12345, 1<<63 - 1} {
		i := bucket(v)
		if i < 0 || i >= buckets {
			t.Fatalf("bucket(%d) = %d", v, i)
		}
		if m := float64(middle(i)); m < float64(v)*0.97 || m > float64(v)*1.03 {
			t.Errorf("%d lies in a bucket around %g", v, m)
		}
	}
	for i := range buckets - 32*5 {
		if got := bucket(uint64(middle(i))); got != i {
			t.Errorf("bucket(middle(%d)) = %d", i, got)
		}
	}
}

func TestQuantiles(t *testing.T) {
	var h, other Histogram
	if h.Quantile(0.5) != 0 {
		t.Error("an empty histogram has a median")
	}
	values := make([]int64, 10_000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range values {
		values[i] = r.Int64N(1_000_000)
		if i%2 == 0 {
			h.Record(values[i])
		} else {
			other.Record(values[i])
		}
	}
	h.Add(&other)
	if h.Count() != uint64(len(values)) {
		t.Fatalf("%d values, want %d", h.Count(), len(values))
	}
	slices.Sort(values)
	for _, q := range []float64{0, 0.5, 0.9, 0.99, 0.999} {
		want := float64(values[int(q*float64(len(values)))])
		if got := float64(h.Quantile(q)); got < want*0.96 || got > want*1.04 {
			t.Errorf("quantile %g = %g, want %g", q, got, want)
		}
	}
	if got, want := h.Quantile(1), values[len(values)-1]; got != want {
		t.Errorf("the longest is %d, want %d", got, want)
	}
	h.Record(-5) // a clock that goes back
	if h.Quantile(0) != 0 {
		t.Error("a time below zero is not in the first bucket")
	}
}

func TestMedianAndSpread(t *testing.T) {
	for _, c := range []struct {
		values []float64
		median float64
		spread float64
	}{
		{nil, 0, 0},
		{[]float64{3}, 3, 0},
		{[]float64{4, 2}, 2, 1},
		{[]float64{100, 80, 110}, 100, 0.3},
		{[]float64{0, 0, 0}, 0, 0},
	} {
		before := slices.Clone(c.values)
		if got := Median(c.values); got != c.median {
			t.Errorf("Median(%v) = %g, want %g", c.values, got, c.median)
		}
		if got := Spread(c.values); got != c.spread {
			t.Errorf("Spread(%v) = %g, want %g", c.values, got, c.spread)
		}
		if !slices.Equal(before, c.values) {
			t.Errorf("the values %v were changed", before)
		}
	}
	if got := MedianOf([]string{"a", "bbb", "cc"}, func(s string) int { return len(s) }); got != 2 {
		t.Errorf("MedianOf = %d, want 2", got)
	}
}
