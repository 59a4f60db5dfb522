package main

import "math/bits"

// histogram counts times in buckets whose width is a thirty-second of their
// value, so that a quantile is right to 3 %.
type histogram struct {
	count   uint64
	max     int64
	buckets [64 * 32]uint64
}

func (h *histogram) record(ns int64) {
	h.count++
	h.max = max(h.max, ns)
	h.buckets[bucket(uint64(max(ns, 0)))]++
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

func (h *histogram) add(o *histogram) {
	h.count += o.count
	h.max = max(h.max, o.max)
	for i, n := range o.buckets {
		h.buckets[i] += n
	}
}

// quantile returns the time that a share q of all were no longer than.
func (h *histogram) quantile(q float64) int64 {
	left := uint64(q * float64(h.count))
	for i, n := range h.buckets {
		if n > left {
			return min(middle(i), h.max)
		}
		left -= n
	}
	return h.max
}
