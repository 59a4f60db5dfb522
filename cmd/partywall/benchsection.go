package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/internal/wait"
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
	defer func() { err = errors.Join(err, removeDir(dir)) }()
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
	At   int64 // when it was stored: wait.Stamp
	Rest [7]uint64
}

func (p *probe) fill(n uint64) {
	p.At = wait.Stamp()
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
