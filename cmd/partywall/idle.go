package main

import (
	"context"
	"slices"
	"time"

	"github.com/partywall/partywall/call"
)

// idleTime is how long the idle conns' processor time is watched.
const idleTime = 10 * time.Second

// measureIdle opens many conns that do nothing, and measures what they cost.
func measureIdle(ctx context.Context, hot *call.Conn, l load, conns int) (*idleReport, error) {
	var alone, beside []int64
	r := &idleReport{Conns: conns}
	for round := range 5 {
		one, err := l.run(ctx, time.Second)
		if err != nil {
			return nil, err
		}
		alone = append(alone, one.times.quantile(0.5))
		idle, err := dialMany(ctx, conns)
		if err == nil && round == 0 {
			err = r.rest(ctx, hot)
		}
		if err == nil {
			one, err = l.run(ctx, time.Second)
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
	r.BesideRatio = float64(r.BesideP50NS) / float64(r.AloneP50NS)
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
	time.Sleep(500 * time.Millisecond) // the dialling's own work ends
	pid := conn.Peer().PID
	before, err := usageOf(pid)
	if err != nil {
		return err
	}
	start := time.Now()
	select {
	case <-time.After(idleTime):
	case <-ctx.Done():
		return ctx.Err()
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

func median(values []int64) int64 {
	slices.Sort(values)
	return values[len(values)/2]
}
