// Package load is what a client process does to its server: calls, by many goroutines, at a rate or as fast as it goes,
// each timed alone and verified.
package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/partywall/partywall/bench/internal/contender"
	"github.com/partywall/partywall/bench/internal/process"
	"github.com/partywall/partywall/bench/internal/report"
	"github.com/partywall/partywall/bench/internal/stats"
)

// A Load is a conn with one goroutine's caller and memory for each goroutine of a cell.
type Load struct {
	cell    report.Cell
	conn    contender.Conn
	workers []*worker
}

type worker struct {
	caller   contender.Caller
	question *contender.Question
	n        uint64
	times    stats.Histogram
}

// deadline is what calls have in cells with one.
const deadline = time.Minute

// New takes over a conn for a cell.
func New(conn contender.Conn, c report.Cell) (*Load, error) {
	l := &Load{cell: c, conn: conn}
	for g := range c.Goroutines {
		caller, err := conn.Caller(c.Size)
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		l.workers = append(l.workers, &worker{caller: caller, question: contender.NewQuestion(c.Size), n: uint64(g) << 40})
	}
	return l, nil
}

// Close closes the conn.
func (l *Load) Close() error { return l.conn.Close() }

// Run calls for a time, at least once by each goroutine. One wrong answer ends it.
func (l *Load) Run(ctx context.Context, d time.Duration) (s report.Sample, err error) {
	if l.cell.Deadline {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d+deadline)
		defer cancel()
	}
	errs := make([]error, len(l.workers))
	for _, w := range l.workers {
		w.times = stats.Histogram{}
	}
	before, err := process.Self()
	if err != nil {
		return s, err
	}
	var all sync.WaitGroup
	start := time.Now()
	for i, w := range l.workers {
		all.Go(func() {
			errs[i] = w.run(ctx, start, d, l.interval(), time.Duration(i)*l.interval()/time.Duration(len(l.workers)))
		})
	}
	all.Wait()
	s.Seconds = time.Since(start).Seconds()
	after, err := process.Self()
	if err := errors.Join(append(errs, err)...); err != nil {
		return s, err
	}
	var times stats.Histogram
	for _, w := range l.workers {
		times.Add(&w.times)
	}
	s.Calls, s.Quantiles = times.Count(), report.NewQuantiles(&times)
	s.ClientCPU, s.ClientRSS = after.CPU-before.CPU, after.RSS
	s.ClientAllocs = stats.Ratio(float64(after.Mallocs-before.Mallocs), float64(s.Calls))
	return s, nil
}

// interval is how far apart the calls of one goroutine begin, 0 if there is no rate.
func (l *Load) interval() time.Duration {
	if l.cell.Rate == 0 {
		return 0
	}
	return time.Duration(float64(l.cell.Goroutines) / l.cell.Rate * 1e9)
}

// run is one goroutine's part. With an interval its calls are due at fixed times, of which due is the first, as
// a time after the start, so that a late one makes the others no later.
func (w *worker) run(ctx context.Context, start time.Time, d, interval, due time.Duration) error {
	for {
		if interval > 0 {
			if pause(due - time.Since(start)); due >= d {
				return nil
			}
			due += interval
		}
		w.n++
		w.question.Next(w.n)
		// time.Since looks at the monotonic clock alone, which is half the work of time.Now.
		before := time.Since(start)
		err := w.caller.Call(ctx, w.question.Arg, w.question.Result)
		after := time.Since(start)
		if err != nil {
			return err
		}
		if !w.question.Answered() {
			return fmt.Errorf("a wrong answer to the request %d", w.n)
		}
		w.times.Record(int64(after - before))
		if interval == 0 && after >= d {
			return nil
		}
	}
}
