package measure

import (
	"context"
	"time"

	"github.com/partywall/partywall/bench/internal/process"
	"github.com/partywall/partywall/bench/internal/report"
)

const (
	// settle is how long the processes are left alone before they are looked at: Go's runtime gives memory
	// back in the background, the collector's threads park, and partywall keeps warm regions for ten seconds.
	settle = 12 * time.Second

	// moreConns is over how many conns the memory of one is averaged.
	moreConns = 32
)

var smallCell = report.Cell{Size: smallest, Goroutines: 1}

// idle watches all pairs at once, each with one conn that has been used once, and then finds the memory of a conn, pair
// by pair.
func idle(ctx context.Context, pairs []*pair, d time.Duration, step func(what string)) (found []report.Idle, err error) {
	var watched []*pair
	for _, p := range pairs {
		if p.server == nil {
			continue
		}
		if err := p.client.Ask(ctx, "prepare", task{Cell: smallCell}, nil); err != nil {
			return nil, err
		}
		if err := p.tidy(ctx, new(process.Usage), new(process.Usage)); err != nil {
			return nil, err
		}
		watched = append(watched, p)
	}
	step("idle")
	if err := sleep(ctx, settle); err != nil {
		return nil, err
	}
	before, err := lookAtAll(watched)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := sleep(ctx, d); err != nil {
		return nil, err
	}
	after, err := lookAtAll(watched)
	if err != nil {
		return nil, err
	}
	took := time.Since(start).Seconds()
	for i, p := range watched {
		one := report.Idle{
			Contender: p.Name, Title: p.Title, Seconds: took,
			ClientSwitches: after[i].client.Switches - before[i].client.Switches,
			ServerSwitches: after[i].server.Switches - before[i].server.Switches,
			ClientCPU:      after[i].client.CPU - before[i].client.CPU,
			ServerCPU:      after[i].server.CPU - before[i].server.CPU,
		}
		step("memory of " + p.Title)
		if one.ClientBytes, one.ServerBytes, err = p.memory(ctx); err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, nil
}

type outsides struct{ client, server process.Outside }

func lookAtAll(pairs []*pair) (all []outsides, err error) {
	for _, p := range pairs {
		var o outsides
		if o.client, err = process.Look(p.client.PID()); err == nil {
			o.server, err = process.Look(p.server.PID())
		}
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// memory finds what one more conn takes on each side. It closes all of them.
func (p *pair) memory(ctx context.Context) (client, server int64, err error) {
	var c, s [2]process.Usage
	if err := p.tidy(ctx, &c[0], &s[0]); err != nil {
		return 0, 0, err
	}
	if err := p.client.Ask(ctx, "more", moreConns, nil); err != nil {
		return 0, 0, err
	}
	if err := p.tidy(ctx, &c[1], &s[1]); err != nil {
		return 0, 0, err
	}
	client, server = (c[1].RSS-c[0].RSS)/moreConns, (s[1].RSS-s[0].RSS)/moreConns
	return max(0, client), max(0, server), p.client.Ask(ctx, "close", nil, nil)
}

func (p *pair) tidy(ctx context.Context, client, server *process.Usage) error {
	if err := p.client.Ask(ctx, "tidy", nil, client); err != nil {
		return err
	}
	return p.server.Ask(ctx, "tidy", nil, server)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
