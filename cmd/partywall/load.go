package main

import (
	"context"
	"errors"
	"math/bits"
	"slices"
	"sync"
	"time"

	"github.com/partywall/partywall/call"
)

// load is what is done to a conn.
type load struct {
	conn       *call.Conn
	exchange   exchange
	goroutines int
	rate       float64
}

type loadResult struct {
	times histogram
	took  time.Duration
}

// once makes a single call.
func (l *load) once(ctx context.Context) (int64, error) {
	took, err := l.exchange.make()(ctx, l.conn, 0)
	return took.Nanoseconds(), err
}

// run calls for a time.
func (l *load) run(ctx context.Context, duration time.Duration) (*loadResult, error) {
	ctx, cancel := context.WithTimeout(ctx, duration+time.Minute)
	defer cancel()
	times := make([]histogram, l.goroutines)
	errs := make([]error, l.goroutines)
	start := time.Now()
	end := start.Add(duration)
	var all sync.WaitGroup
	for g := range l.goroutines {
		all.Go(func() {
			errs[g] = l.one(ctx, &times[g], g, start, end)
		})
	}
	all.Wait()
	r := &loadResult{took: time.Since(start)}
	for i := range times {
		r.times.add(&times[i])
	}
	if err := errors.Join(errs...); err != nil {
		return nil, firstOf(errs)
	}
	return r, nil
}

func firstOf(errs []error) error {
	i := slices.IndexFunc(errs, func(err error) bool { return err != nil })
	return errs[i]
}

// one is one goroutine's part.
func (l *load) one(ctx context.Context, times *histogram, g int, start, end time.Time) error {
	do := l.exchange.make()
	var interval time.Duration
	if l.rate > 0 {
		interval = time.Duration(float64(l.goroutines) / l.rate * 1e9)
	}
	next := start.Add(interval * time.Duration(g) / time.Duration(l.goroutines))
	for n := uint64(g) << 40; ; n++ {
		if l.rate > 0 {
			next = next.Add(interval)
			if next.After(end) {
				return nil
			}
			time.Sleep(time.Until(next))
		}
		took, err := do(ctx, l.conn, n)
		if err != nil {
			return err
		}
		times.record(took.Nanoseconds())
		if l.rate == 0 && n%8 == 0 && !time.Now().Before(end) {
			return nil
		}
	}
}

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

// lowest is the smallest value in bucket i.
func lowest(i int) int64 {
	if i < 32 {
		return int64(i)
	}
	shift := i/32 - 1
	return int64(i%32+32) << shift
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
			return min((lowest(i)+lowest(i+1))/2, h.max)
		}
		left -= n
	}
	return h.max
}
