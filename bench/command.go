package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/bench/internal/chart"
	"github.com/partywall/partywall/bench/internal/contender"
	"github.com/partywall/partywall/bench/internal/measure"
	"github.com/partywall/partywall/bench/internal/report"
)

// options are what the flags say.
type options struct {
	rounds     int
	roundTime  time.Duration
	idleTime   time.Duration
	heapMiB    int
	sizes      []int
	goroutines []int
	rates      []float64
	cross      bool
	only       []string
	quick      bool
	goals      bool
	strict     bool
	wine       bool
	jsonFile   string
	chartsDir  string
	from       string
}

func newCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure partywall beside other ways between two processes",
		Long: `Measure partywall beside other ways in which two processes on a machine can exchange
bytes. Each contender is a server process and a client process; they take turns, round by
round, and the figures are medians over the rounds. Every byte of every answer is verified.

A machine that does other things gives other figures: compare within one run. If the
machine's own limits do not keep still during the run, it says so.

The contenders: ` + strings.Join(measure.Names(), ", ") + ".",
		Example: `  go run . --quick
  go run -buildvcs=true . --goals --json results.json --charts ../docs/bench
  go run . --only partywall,socket,c-spin --sizes 64 --goroutines 1
  go run . --from results.json --goals`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	f.IntVar(&o.rounds, "rounds", 5, "`number` of rounds")
	f.DurationVar(&o.roundTime, "round-time", 500*time.Millisecond, "how `long` each contender has in each cell of each round; at a rate, twice that")
	f.DurationVar(&o.idleTime, "idle-time", 10*time.Second, "how `long` idle conns are watched; 0: not at all")
	f.IntVar(&o.heapMiB, "heap", 100, "`MiB` of live heap that each process has besides")
	f.IntSliceVar(&o.sizes, "sizes", []int{64, 4 << 10, 64 << 10, 1 << 20, 16 << 20}, "`bytes` of a request and of its answer")
	f.IntSliceVar(&o.goroutines, "goroutines", []int{1, 8, 64, 512}, "`numbers` of goroutines that call at once")
	f.Float64SliceVar(&o.rates, "rates", []float64{1_000, 10_000}, "calls per `second` for paced calls")
	f.BoolVar(&o.cross, "cross", false, "measure every size with every number of goroutines")
	f.StringSliceVar(&o.only, "only", nil, "measure these `contenders` only")
	f.BoolVar(&o.quick, "quick", false, "a first look: 3 rounds of 100ms, 64 B and 1 MiB, 2s of idleness, unless other flags say otherwise")
	f.BoolVar(&o.goals, "goals", false, "print the goals, and whether they are met")
	f.BoolVar(&o.strict, "strict", false, "with --goals: exit status 1 unless all are met")
	f.BoolVar(&o.wine, "wine", false, "also measure the Windows program under Wine, by scripts/wine.sh")
	f.StringVar(&o.jsonFile, "json", "", "write everything to this `file`")
	f.StringVar(&o.chartsDir, "charts", "", "draw charts into this `directory`")
	f.StringVar(&o.from, "from", "", "measure nothing, but take a `file` that --json has written")
	return cmd
}

func (o *options) run(cmd *cobra.Command) error {
	if o.quick {
		o.hurry(cmd)
	}
	if err := o.check(); err != nil {
		return err
	}
	r, err := o.report(cmd)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if err := o.output(r, out, cmd.ErrOrStderr()); err != nil {
		return err
	}
	if o.goals && o.strict && !r.AllMet() {
		return errors.New("not all goals are met")
	}
	return nil
}

// hurry changes what no flag has set.
func (o *options) hurry(cmd *cobra.Command) {
	unset := func(flag string) bool { return !cmd.Flags().Changed(flag) }
	if unset("rounds") {
		o.rounds = 3
	}
	if unset("round-time") {
		o.roundTime = 100 * time.Millisecond
	}
	if unset("idle-time") {
		o.idleTime = 2 * time.Second
	}
	if unset("sizes") {
		o.sizes = []int{64, 1 << 20}
	}
}

// check refuses what makes no sense, before anything starts.
func (o *options) check() error {
	switch {
	case o.rounds < 1 || o.rounds > 1000:
		return fmt.Errorf("--rounds %d: 1 to 1000 are possible", o.rounds)
	case o.roundTime < time.Millisecond || o.roundTime > time.Hour:
		return fmt.Errorf("--round-time %v: 1ms to 1h are possible", o.roundTime)
	case o.idleTime < 0 || o.idleTime > time.Hour:
		return fmt.Errorf("--idle-time %v: 0 to 1h are possible", o.idleTime)
	case o.heapMiB < 0 || o.heapMiB > 10_000:
		return fmt.Errorf("--heap %d: 0 to 10000 are possible", o.heapMiB)
	case o.strict && !o.goals:
		return errors.New("--strict needs --goals")
	}
	if err := between("sizes", o.sizes, 1, contender.MaxSize); err != nil {
		return err
	}
	if err := between("goroutines", o.goroutines, 1, 1000); err != nil {
		return err
	}
	for _, rate := range o.rates {
		if !(1 <= rate && rate <= 1e6) {
			return fmt.Errorf("--rates %g: 1 to 1e6 are possible", rate)
		}
	}
	for _, name := range o.only {
		if !slices.Contains(measure.Names(), name) {
			return fmt.Errorf("--only %s: the contenders are %s", name, strings.Join(measure.Names(), ", "))
		}
	}
	return nil
}

func between[T cmp.Ordered](flag string, values []T, low, high T) error {
	for _, v := range values {
		if v < low || v > high {
			return fmt.Errorf("--%s %v: %v to %v are possible", flag, v, low, high)
		}
	}
	if len(values) == 0 {
		return fmt.Errorf("--%s: at least one is needed", flag)
	}
	return nil
}

// report measures, or reads what was measured.
func (o *options) report(cmd *cobra.Command) (*report.Report, error) {
	if o.from != "" {
		text, err := os.ReadFile(o.from)
		if err != nil {
			return nil, err
		}
		var r report.Report
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", o.from, err)
		}
		r.JudgeNoise()
		r.JudgeGoals()
		return &r, nil
	}
	progress := newProgress(cmd.ErrOrStderr())
	r, err := measure.Run(cmd.Context(), measure.Plan{
		Settings: report.Settings{Rounds: o.rounds, RoundTime: o.roundTime, IdleTime: o.idleTime, HeapMiB: o.heapMiB},
		Cells: measure.Axes{
			Sizes: o.sizes, Goroutines: o.goroutines, Rates: o.rates, Deadline: true, Cross: o.cross,
		}.Cells(),
		Only: o.only, Progress: progress.step,
	})
	progress.end()
	if err != nil || !o.wine {
		return r, err
	}
	r.Windows, err = measure.UnderWine(cmd.Context(), time.Duration(o.rounds)*o.roundTime)
	return r, err
}

// output writes what the flags ask for.
func (o *options) output(r *report.Report, out, notes io.Writer) error {
	if err := r.Print(out); err != nil {
		return err
	}
	if o.goals {
		fmt.Fprintln(out)
		if err := r.PrintGoals(out); err != nil {
			return err
		}
	}
	if o.jsonFile != "" {
		text, err := json.MarshalIndent(r, "", "\t")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.jsonFile, append(text, '\n'), 0o666); err != nil {
			return err
		}
	}
	if o.chartsDir == "" {
		return nil
	}
	files, err := chart.Write(r, o.chartsDir)
	for _, file := range files {
		fmt.Fprintln(notes, "wrote", file)
	}
	return err
}
