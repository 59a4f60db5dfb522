package main

import (
	"context"
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

// run calls for a time. One call's failure ends it.
func (l *load) run(ctx context.Context, duration time.Duration) (*loadResult, error) {
	ctx, cancel := context.WithTimeout(ctx, duration+time.Minute)
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	times := make([]histogram, l.goroutines)
	start := time.Now()
	end := start.Add(duration)
	var all sync.WaitGroup
	for g := range l.goroutines {
		all.Go(func() {
			if err := l.one(ctx, &times[g], g, start, end); err != nil {
				fail(err)
			}
		})
	}
	all.Wait()
	r := &loadResult{took: time.Since(start)}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	for i := range times {
		r.times.add(&times[i])
	}
	return r, nil
}

// one is one goroutine's part. All together they make at least one call.
func (l *load) one(ctx context.Context, times *histogram, g int, start, end time.Time) error {
	do := l.exchange.make()
	var interval time.Duration
	if l.rate > 0 {
		interval = time.Duration(float64(l.goroutines) / l.rate * 1e9)
	}
	// The first goroutine begins at once, the others in between its first two calls.
	next := start.Add(time.Duration(float64(interval) * float64(g) / float64(l.goroutines)))
	for n := uint64(g) << 40; ; n++ {
		if l.rate > 0 {
			if n > 0 { // not the first call of the first goroutine
				if !next.Before(end) {
					return pause(ctx, time.Until(end)) // or the rate would come out higher
				}
				if err := pause(ctx, time.Until(next)); err != nil {
					return err
				}
			}
			next = next.Add(interval)
		}
		took, err := do(ctx, l.conn, n)
		if err != nil {
			return err
		}
		times.record(took.Nanoseconds())
		// Looking at the clock costs as much as a tenth of a short call.
		if l.rate == 0 && (n%8 == 0 || took > time.Millisecond) && !time.Now().Before(end) {
			return nil
		}
	}
}

// pause sleeps, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
