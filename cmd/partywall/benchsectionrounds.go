package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"time"

	"github.com/partywall/partywall/internal/wait"
	"github.com/partywall/partywall/section"
)

// perRound is how long a round takes.
const perRound = 500 * time.Millisecond

func (b *benchSection) measure(ctx context.Context) (*sectionBench, error) {
	m := &sectionMeasurement{}
	for end := time.Now().Add(b.duration); m.rounds == 0 || time.Now().Before(end); m.rounds++ {
		if err := m.round(ctx, min(perRound, b.duration)); err != nil {
			return nil, err
		}
	}
	return m.report(), nil
}

// sectionMeasurement collects what the rounds have measured.
type sectionMeasurement struct {
	rounds                                                                    int
	loads, stores                                                             uint64
	load, store, contended, asleep, asleepP99, awake, awakeP99, wake, wakeP99 []int64
	ratios                                                                    []float64
}

func (m *sectionMeasurement) report() *sectionBench {
	r := &sectionBench{
		Rounds: m.rounds, Loads: m.loads, Stores: m.stores,
		Load: median(m.load), Store: median(m.store), Contended: median(m.contended),
		Asleep: median(m.asleep), AsleepP99: median(m.asleepP99), Awake: median(m.awake), AwakeP99: median(m.awakeP99),
	}
	if len(m.wake) > 0 {
		r.futexBench = &futexBench{Wake: median(m.wake), WakeP99: median(m.wakeP99), Ratio: median(m.ratios)}
	}
	return r
}

// round measures everything once; its parts share d.
func (m *sectionMeasurement) round(ctx context.Context, d time.Duration) error {
	s, err := section.Open[probe]("bench/value")
	if err != nil {
		return err
	}
	defer s.Close()
	load, loads, err := timeLoads(ctx, s, d/10)
	if err != nil {
		return err
	}
	store, stores, err := timeStores(ctx, s, d/10)
	if err != nil {
		return err
	}
	m.load, m.store = append(m.load, load), append(m.store, store)
	m.loads, m.stores = m.loads+loads, m.stores+stores

	err = withChild(ctx, "store", func() error {
		contended, loads, err := timeLoads(ctx, s, d/10)
		m.contended = append(m.contended, contended)
		m.loads += loads
		return err
	})
	if err != nil {
		return err
	}
	awake, err := timeNotes(ctx, "watch", s.StoreFrom, 20*time.Microsecond, d/5)
	if err != nil {
		return err
	}
	m.awake, m.awakeP99 = append(m.awake, awake.P50), append(m.awakeP99, awake.P99)
	return m.sleepers(ctx, s, d/2)
}

// sleepers measures what it takes to wake a watcher, and a bare futex where there is one, in turns.
func (m *sectionMeasurement) sleepers(ctx context.Context, s *section.Section[probe], d time.Duration) error {
	const parts, pause = 4, 2 * time.Millisecond
	bare, err := newBareFutex()
	if err != nil {
		return err
	}
	if bare != nil {
		defer bare.close()
	}
	for range parts {
		if bare == nil {
			d = 2 * d
		}
		asleep, err := timeNotes(ctx, "watch", s.StoreFrom, pause, d/(2*parts))
		if err != nil {
			return err
		}
		m.asleep, m.asleepP99 = append(m.asleep, asleep.P50), append(m.asleepP99, asleep.P99)
		if bare == nil {
			return nil
		}
		wake, err := timeNotes(ctx, "futex", bare.store, pause, d/(2*parts))
		if err != nil {
			return err
		}
		m.wake, m.wakeP99 = append(m.wake, wake.P50), append(m.wakeP99, wake.P99)
		m.ratios = append(m.ratios, ratio(float64(asleep.P50), float64(wake.P50)))
	}
	return nil
}

const batch = 1000

// timeLoads returns what a load takes: the median over batches.
func timeLoads(ctx context.Context, s *section.Section[probe], d time.Duration) (ns int64, loads uint64, err error) {
	var h histogram
	for end := time.Now().Add(d); h.count == 0 || time.Now().Before(end) && ctx.Err() == nil; {
		began := wait.Now()
		for range batch {
			v, err := s.Load()
			if err != nil {
				return 0, 0, err
			}
			if !v.whole() {
				return 0, 0, errors.New("a load has returned a mixture")
			}
		}
		h.record(int64(wait.Now() - began))
	}
	return h.quantile(0.5) / batch, h.count * batch, context.Cause(ctx)
}

// timeStores returns what a store takes.
func timeStores(ctx context.Context, s *section.Section[probe], d time.Duration) (ns int64, stores uint64, err error) {
	var h histogram
	var v probe
	v.fill(1)
	for end := time.Now().Add(d); h.count == 0 || time.Now().Before(end) && ctx.Err() == nil; {
		began := wait.Now()
		for range batch {
			if err := s.Store(v); err != nil {
				return 0, 0, err
			}
		}
		h.record(int64(wait.Now() - began))
	}
	return h.quantile(0.5) / batch, h.count * batch, context.Cause(ctx)
}

// leastNotes is how many stores there are at least.
const leastNotes = 20

// notes are the times of one way that a child has measured.
type notes struct{ Count, P50, P99 int64 }

// timeNotes stores at a pace, and returns what a child has made of it.
func timeNotes(ctx context.Context, role string, store func(*probe) (uint64, error), pace, d time.Duration) (n notes, err error) {
	result, err := section.Open[notes]("bench/result")
	if err != nil {
		return n, err
	}
	defer result.Close()
	err = withChild(ctx, role, func() error {
		var v probe
		for end, i := time.Now().Add(d), uint64(0); ctx.Err() == nil && (i < leastNotes || time.Now().Before(end)); i++ {
			if pace < time.Millisecond {
				for until := wait.Now() + pace; wait.Now() < until; {
				}
			} else {
				time.Sleep(pace)
			}
			v.fill(i)
			if _, err := store(&v); err != nil {
				return err
			}
		}
		return context.Cause(ctx)
	})
	if err != nil {
		return n, err
	}
	if n, err = result.Load(); err == nil && n.Count == 0 {
		err = errors.New("the other process has seen nothing")
	}
	return n, err
}

// withChild runs work beside a child.
func withChild(ctx context.Context, role string, work func() error) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	child, err := spawn(ctx, exec.Command(program, "bench", "serve-child-section", role))
	if err != nil {
		return err
	}
	return child.stop(work())
}
