// Package stats holds what is done with measured times: a histogram, and medians over rounds.
package stats

import "math/bits"

// buckets is how many a Histogram has: 32 for each power of two.
const buckets = 64 * 32

// A Histogram counts times in buckets whose width is a thirty-second of their value, so that a
// quantile is right to 3 %. The zero value is empty. It is for one goroutine.
type Histogram struct {
	count   uint64
	max     int64
	buckets [buckets]uint64
}

// Record counts a time, in nanoseconds. One below zero counts as zero.
func (h *Histogram) Record(ns int64) {
	h.count++
	h.max = max(h.max, ns)
	h.buckets[bucket(uint64(max(ns, 0)))]++
}

// Count returns how many times were recorded.
func (h *Histogram) Count() uint64 { return h.count }

// Add counts all that o has counted.
func (h *Histogram) Add(o *Histogram) {
	h.count += o.count
	h.max = max(h.max, o.max)
	for i, n := range o.buckets {
		h.buckets[i] += n
	}
}

// Quantile returns the time, in nanoseconds, that a share q of all were no longer than: 0 if
// there are none.
func (h *Histogram) Quantile(q float64) int64 {
	left := uint64(q * float64(h.count))
	for i, n := range h.buckets {
		if n > left {
			return min(middle(i), h.max)
		}
		left -= n
	}
	return h.max
}

func bucket(v uint64) int {
	if v < 32 {
		return int(v)
	}
	shift := bits.Len64(v) - 6
	return (shift+1)*32 + int(v>>shift) - 32
}

// middle is the value in the middle of bucket i.
func middle(i int) int64 {
	if i < 32 {
		return int64(i)
	}
	shift := i/32 - 1
	return int64(i%32+32)<<shift + 1<<shift>>1
}
