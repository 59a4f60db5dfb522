package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/partywall/partywall/call"
)

// idlePlan says how long measureIdle takes over each of its parts. The tests have
// shorter ones.
var idlePlan = struct {
	rounds int
	round  time.Duration // of calls, twice in each round
	settle time.Duration // until the dialling's own work has ended
	watch  time.Duration // of the idle conns' processor time
}{5, time.Second, 500 * time.Millisecond, 10 * time.Second}

// idleTakes is how long measureIdle takes, without the dialling.
func idleTakes() time.Duration {
	p := idlePlan
	return time.Duration(2*p.rounds)*p.round + p.settle + p.watch
}

// measureIdle opens many conns that do nothing, and measures what they cost.
func measureIdle(ctx context.Context, hot *call.Conn, l load, conns int) (*idleReport, error) {
	var alone, beside []int64
	r := &idleReport{Conns: conns}
	for round := range idlePlan.rounds {
		one, err := l.run(ctx, idlePlan.round)
		if err != nil {
			return nil, err
		}
		alone = append(alone, one.times.quantile(0.5))
		idle, err := dialMany(ctx, conns)
		if err == nil && round == 0 {
			err = r.rest(ctx, hot)
		}
		if err == nil {
			one, err = l.run(ctx, idlePlan.round)
		}
		for _, c := range idle {
			c.Close()
		}
		if err != nil {
			return nil, err
		}
		beside = append(beside, one.times.quantile(0.5))
	}
	r.AloneP50NS, r.BesideP50NS = median(alone), median(beside)
	r.BesideRatio = ratio(float64(r.BesideP50NS), float64(r.AloneP50NS))
	return r, nil
}

func dialMany(ctx context.Context, n int) (conns []*call.Conn, err error) {
	for range n {
		c, err := call.Dial(ctx, childService)
		if err != nil {
			return conns, err
		}
		conns = append(conns, c)
	}
	return conns, nil
}

// rest watches the server's processor time from outside while nobody calls.
func (r *idleReport) rest(ctx context.Context, conn *call.Conn) error {
	if err := pause(ctx, idlePlan.settle); err != nil {
		return err
	}
	pid := conn.Peer().PID
	before, err := usageOf(pid)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := pause(ctx, idlePlan.watch); err != nil {
		return err
	}
	after, err := usageOf(pid)
	if err != nil {
		return err
	}
	r.CPUTicks = after.Ticks - before.Ticks
	r.Seconds = time.Since(start).Seconds()
	r.ServerThread = int(after.Threads)
	return nil
}

func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
