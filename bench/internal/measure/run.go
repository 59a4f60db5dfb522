// Package measure runs the contenders against each other: it starts their processes, has each take its turn in each cell of
// each round, and puts what they find into a report.
package measure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/partywall/partywall/bench/internal/contender"
	"github.com/partywall/partywall/bench/internal/limits"
	"github.com/partywall/partywall/bench/internal/load"
	"github.com/partywall/partywall/bench/internal/report"
)

// patience is how much longer than planned a child may take.
const patience = 2 * time.Minute

// A Plan says what is measured.
type Plan struct {
	report.Settings
	Cells []report.Cell
	Only  []string // contenders; all if there are none
	// Progress is called with what was done of how many steps, and what comes.
	Progress func(done, of int, what string)
}

// Names are those of all contenders.
func Names() (names []string) {
	for _, e := range contender.All() {
		names = append(names, e.Name)
	}
	return append(names, limits.Names()...)
}

func (p *Plan) wants(name string) bool { return len(p.Only) == 0 || slices.Contains(p.Only, name) }

// A runner is a contender that is ready for its turns.
type runner interface {
	name() string
	title() string
	does(report.Cell) bool
	run(ctx context.Context, c report.Cell, d time.Duration) (report.Sample, error)
}

// native is a C program.
type native struct{ limits.Entry }

func (n native) name() string            { return n.Name }
func (n native) title() string           { return n.Title }
func (n native) does(c report.Cell) bool { return n.Does(c) }
func (n native) run(ctx context.Context, c report.Cell, d time.Duration) (report.Sample, error) {
	return n.Run(ctx, c, d)
}

// Run measures. No child and no file is left when it returns.
func Run(ctx context.Context, p Plan) (r *report.Report, err error) {
	root, err := os.MkdirTemp("", "partywall-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(root)) }()
	r = &report.Report{Date: time.Now().UTC().Truncate(time.Second), Machine: report.OfThisMachine(), Versions: report.OfThisProgram(), Settings: p.Settings}

	entries, missing, err := limits.Compile(ctx, filepath.Join(root, "c"), p.wants)
	if err != nil {
		return nil, err
	}
	r.NotMeasured = missing
	var pairs []*pair
	defer func() {
		for _, one := range pairs {
			err = errors.Join(err, one.stop())
		}
	}()
	var runners []runner
	for _, e := range contender.All() {
		if !p.wants(e.Name) {
			continue
		}
		one, err := startPair(ctx, e, root, p.HeapMiB)
		if errors.Is(err, errNotBuilt) {
			r.NotMeasured = append(r.NotMeasured, report.NotMeasured{Contender: e.Name, Why: err.Error()})
			continue
		}
		if err != nil {
			return nil, err
		}
		pairs, runners = append(pairs, one), append(runners, one)
		one.addVersions(r.Versions)
	}
	for _, e := range entries {
		what, version, err := e.Version(ctx)
		if err != nil {
			return nil, err
		}
		r.Versions[what] = version
		runners = append(runners, native{e})
	}
	if err := p.measure(ctx, r, pairs, runners); err != nil {
		return nil, err
	}
	r.JudgeNoise()
	r.JudgeGoals()
	return r, nil
}

func (p *Plan) measure(ctx context.Context, r *report.Report, pairs []*pair, runners []runner) (err error) {
	s := p.steps(pairs, runners)
	if p.IdleTime > 0 {
		if r.Idle, err = idle(ctx, pairs, p.IdleTime, s.next); err != nil {
			return err
		}
	}
	for round := range p.Rounds {
		for _, c := range p.Cells {
			for i := range runners {
				one := runners[(i+round)%len(runners)] // each round begins with another
				if !one.does(c) {
					continue
				}
				s.next(fmt.Sprintf("round %d: %s, %v", round+1, one.title(), c))
				d := p.RoundTime
				if c.Rate > 0 {
					d *= 2 // or there are few calls
				}
				sample, err := one.run(ctx, c, d)
				if err != nil {
					return fmt.Errorf("%s: %w", one.name(), err)
				}
				r.Add(one.name(), one.title(), c, sample)
			}
		}
		if err := p.section(ctx, r, pairs, s.next); err != nil {
			return err
		}
	}
	s.next("done")
	p.inOrder(r)
	return nil
}

// section has partywall's client measure a section.
func (p *Plan) section(ctx context.Context, r *report.Report, pairs []*pair, next func(string)) error {
	for _, one := range pairs {
		if one.Name != contender.PartywallCall {
			continue
		}
		next("a section")
		var t load.SectionTimes
		if err := one.client.Ask(ctx, "section", p.RoundTime, &t); err != nil {
			return err
		}
		if r.Section == nil {
			r.Section = &report.Section{}
		}
		r.Section.Add(t.Load, t.Store)
	}
	return nil
}

// inOrder sorts the series as cells and contenders are listed.
func (p *Plan) inOrder(r *report.Report) {
	names := Names()
	slices.SortStableFunc(r.Series, func(a, b report.Series) int {
		if d := slices.Index(p.Cells, a.Cell) - slices.Index(p.Cells, b.Cell); d != 0 {
			return d
		}
		return slices.Index(names, a.Contender) - slices.Index(names, b.Contender)
	})
}

// steps counts what there is to do.
type steps struct {
	done, of int
	progress func(done, of int, what string)
}

func (p *Plan) steps(pairs []*pair, runners []runner) *steps {
	s := &steps{progress: p.Progress}
	for _, one := range pairs {
		if one.Name == contender.PartywallCall {
			s.of += p.Rounds
		}
		if one.server != nil && p.IdleTime > 0 {
			s.of++
		}
	}
	if p.IdleTime > 0 {
		s.of++
	}
	for _, c := range p.Cells {
		for _, one := range runners {
			if one.does(c) {
				s.of += p.Rounds
			}
		}
	}
	return s
}

// next says that one step has ended, but for the first, and what comes.
func (s *steps) next(what string) {
	if s.progress != nil {
		s.progress(s.done, s.of, what)
	}
	s.done++
}
