package stats

import (
	"cmp"
	"slices"
)

// Median returns the median of the values, the lower one of two, and zero if there are none.
func Median[T cmp.Ordered](values []T) (median T) {
	if len(values) == 0 {
		return median
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// MedianOf returns the median of what of returns for each item.
func MedianOf[T any, V cmp.Ordered](items []T, of func(T) V) V {
	values := make([]V, len(items))
	for i, item := range items {
		values[i] = of(item)
	}
	return Median(values)
}

// Ratio is a/b, and 0 where there is nothing to divide by: JSON has no infinity.
func Ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Spread is how far the values lie apart, as a share of their median: 0.25 if they differ by a
// quarter of it. Fewer than two values have none.
func Spread(values []float64) float64 {
	if len(values) < 2 {
		return 0
	}
	return Ratio(slices.Max(values)-slices.Min(values), Median(values))
}
