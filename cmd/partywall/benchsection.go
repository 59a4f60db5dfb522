package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/section"
)

type benchSection struct {
	duration time.Duration
	asJSON   bool
}

func newBenchSection() *cobra.Command {
	var b benchSection
	cmd := &cobra.Command{
		Use:   "section",
		Short: "Measure loads, stores and notifications of a section",
		Long: `Measure a section whose value has 64 bytes, in rounds that take turns:

  load             this process loads, nobody stores
  store            this process stores, nobody watches
  load, contended  this process loads while another stores as fast as it can
  notify, awake    from before a store to after the load in another process, which is
                   looking
  notify, asleep   the same with a process that sleeps: each store is 2 ms after the
                   one before
  futex            on Linux, the same with nothing but memory and a futex between the
                   two processes: what waking costs here

Loads and stores are timed by the thousand, notifications one by one: a time of one way,
by the clock that both processes read. The figures are medians over the rounds.

A machine that does other things gives other figures: compare within one run.`,
		Example: `  partywall bench section
  partywall bench section --duration 10s --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd) },
	}
	cmd.Flags().DurationVar(&b.duration, "duration", 3*time.Second, "how `long` to measure")
	jsonFlag(cmd, &b.asJSON)
	return cmd
}

func (b *benchSection) run(cmd *cobra.Command) (err error) {
	if b.duration < 100*time.Millisecond || b.duration > 24*time.Hour {
		return usagef(cmd, "--duration %v: 100ms to 24h are possible", b.duration)
	}
	dir, err := privateDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	end := func() {}
	if b.duration > silentBelow {
		end = newProgress().during(func(since time.Duration) string {
			return fmt.Sprintf("measuring: %v left", max(0, b.duration-since).Round(time.Second))
		})
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), b.duration+time.Minute)
	defer cancel()
	report, err := b.measure(ctx)
	end()
	if err != nil {
		return err
	}
	if b.asJSON {
		return printJSON(cmd.OutOrStdout(), report)
	}
	return printGrid(cmd.OutOrStdout(), report.grid())
}

// probe is the value of the measurements: 64 bytes.
type probe struct {
	At   int64 // when it was stored: nanoseconds since 1970
	Rest [7]uint64
}

func (p *probe) fill(n uint64) {
	p.At = time.Now().UnixNano()
	for i := range p.Rest {
		p.Rest[i] = n
	}
}

// whole reports whether all words are of one value.
func (p *probe) whole() bool {
	for _, w := range p.Rest {
		if w != p.Rest[0] {
			return false
		}
	}
	return true
}

// sectionBench is what bench section prints.
type sectionBench struct {
	Rounds    int    `json:"rounds"`
	Loads     uint64 `json:"loads"`
	Stores    uint64 `json:"stores"`
	Load      int64  `json:"load_ns"`
	Store     int64  `json:"store_ns"`
	Contended int64  `json:"load_contended_ns"`
	Asleep    int64  `json:"notify_asleep_p50_ns"`
	AsleepP99 int64  `json:"notify_asleep_p99_ns"`
	Awake     int64  `json:"notify_awake_p50_ns"`
	AwakeP99  int64  `json:"notify_awake_p99_ns"`
	*futexBench
}

// futexBench is nil where there is no futex.
type futexBench struct {
	Wake    int64   `json:"futex_wake_p50_ns"`
	WakeP99 int64   `json:"futex_wake_p99_ns"`
	Ratio   float64 `json:"notify_asleep_to_futex_p50"`
}

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

func (r *sectionBench) grid() [][]string {
	grid := [][]string{
		{"64 BYTES", "P50", "P99"},
		{"load", duration(r.Load), ""},
		{"store", duration(r.Store), ""},
		{"load, contended", duration(r.Contended), ""},
		{"notify, awake", duration(r.Awake), duration(r.AwakeP99)},
		{"notify, asleep", duration(r.Asleep), duration(r.AsleepP99)},
	}
	if r.futexBench != nil {
		grid = append(grid, []string{"futex", duration(r.Wake), duration(r.WakeP99)})
	}
	return grid
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
	defer bare.close()
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
		began := time.Now()
		for range batch {
			v, err := s.Load()
			if err != nil {
				return 0, 0, err
			}
			if !v.whole() {
				return 0, 0, errors.New("a load has returned a mixture")
			}
		}
		h.record(time.Since(began).Nanoseconds())
	}
	return h.quantile(0.5) / batch, h.count * batch, context.Cause(ctx)
}

// timeStores returns what a store takes.
func timeStores(ctx context.Context, s *section.Section[probe], d time.Duration) (ns int64, stores uint64, err error) {
	var h histogram
	var v probe
	v.fill(1)
	for end := time.Now().Add(d); h.count == 0 || time.Now().Before(end) && ctx.Err() == nil; {
		began := time.Now()
		for range batch {
			if err := s.Store(v); err != nil {
				return 0, 0, err
			}
		}
		h.record(time.Since(began).Nanoseconds())
	}
	return h.quantile(0.5) / batch, h.count * batch, context.Cause(ctx)
}

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
		for end, i := time.Now().Add(d), uint64(0); ctx.Err() == nil && (i < 3 || time.Now().Before(end)); i++ {
			if pace < time.Millisecond {
				for until := time.Now().Add(pace); time.Now().Before(until); {
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
