package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

type benchInvoke struct {
	duration time.Duration
	asJSON   bool
}

func newBenchInvoke() *cobra.Command {
	var b benchInvoke
	cmd := &cobra.Command{
		Use:   "invoke",
		Short: "Measure requests to another process's window, on Windows",
		Long: `Start a server process with a window, and have it work on a struct of 16 bytes, in
four ways that take turns in several rounds:

  nine steps  everything anew each time: find the window by its title, ask for its
              process, open that, allocate a block there, write the struct, send
              the message, take the answer, read the struct, free the block
  invoke      the same with a window that is found once, and a process and a block
              that are kept: write, send, read
  TCP         the same bytes to the same process and back, over a connection on
              loopback that is kept
  call        a call of package call, which needs no window: while both sides are
              awake nothing but memory

"eight steps" are the nine without finding the window. Every answer is verified. The
figures are medians over the rounds, and so is the ratio, of each round's own.

A machine that does other things gives other figures: compare within one run.`,
		Example: `  partywall bench invoke
  partywall bench invoke --duration 10s --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd) },
	}
	cmd.Flags().DurationVar(&b.duration, "duration", 3*time.Second, "how `long` to measure, after a tenth of it to warm up")
	jsonFlag(cmd, &b.asJSON)
	return cmd
}

func (b *benchInvoke) run(cmd *cobra.Command) error {
	if b.duration < time.Millisecond || b.duration > 24*time.Hour {
		return usagef(cmd, "--duration %v: 1ms to 24h are possible", b.duration)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), b.duration+b.duration/10+time.Minute)
	defer cancel()
	end := func() {}
	if b.duration > silentBelow {
		end = newProgress().during(func(since time.Duration) string {
			return fmt.Sprintf("measuring: %v left", max(0, b.duration+b.duration/10-since).Round(time.Second))
		})
	}
	report, err := b.measure(ctx)
	end()
	if err != nil {
		return err
	}
	if b.asJSON {
		return printJSON(cmd.OutOrStdout(), report)
	}
	if err := printGrid(cmd.OutOrStdout(), report.grid()); err != nil {
		return err
	}
	return printTable(cmd.OutOrStdout(), report.table())
}

// A way makes the n-th request in one way, and verifies its answer. It returns how long it
// took, and how much of that went into finding the server.
type way func(ctx context.Context, n uint64) (took, finding time.Duration, err error)

// ways are those that are compared.
type ways struct{ nine, cached, tcp, call way }

const (
	leastRounds = 5
	mostRounds  = 101

	// turn is how long a way's part of a round is, if there is time for it.
	turn = 100 * time.Millisecond
)

// rounds is how many there are time for: an odd number, so that one is the median.
func (b *benchInvoke) rounds() int {
	n := int(min(b.duration/(4*turn), mostRounds))
	return max((n-1)|1, leastRounds)
}

// compare has the ways take turns, each round in another order.
func (b *benchInvoke) compare(ctx context.Context, w ways) (*invokeBench, error) {
	parts := []struct {
		way    way
		record func(*round, times)
	}{
		{w.nine, func(r *round, t times) { r.nine = t }},
		{w.cached, func(r *round, t times) { r.cached = t }},
		{w.tcp, func(r *round, t times) { r.tcp = t }},
		{w.call, func(r *round, t times) { r.call = t }},
	}
	for _, p := range parts {
		if _, err := takeTurn(ctx, p.way, b.duration/40); err != nil {
			return nil, err
		}
	}
	all := make([]round, b.rounds())
	for i := range all {
		for j := range parts {
			p := parts[(i+j)%len(parts)]
			t, err := takeTurn(ctx, p.way, b.duration/time.Duration(4*len(all)))
			if err != nil {
				return nil, err
			}
			p.record(&all[i], t)
		}
	}
	return newInvokeBench(all), nil
}

// times are those of one way in one round, in nanoseconds.
type times struct {
	calls              uint64
	p50, p99           int64
	knownP50, knownP99 int64 // without finding the server
}

// round is one round's times.
type round struct{ nine, cached, tcp, call times }

// takeTurn makes requests for a time, one at least.
func takeTurn(ctx context.Context, w way, d time.Duration) (t times, err error) {
	var whole, known histogram
	for end := time.Now().Add(d); ; {
		took, finding, err := w(ctx, whole.count)
		if err != nil {
			return t, err
		}
		whole.record(took.Nanoseconds())
		known.record((took - finding).Nanoseconds())
		if !time.Now().Before(end) {
			return times{whole.count, whole.quantile(0.5), whole.quantile(0.99), known.quantile(0.5), known.quantile(0.99)}, nil
		}
	}
}

// invokeBench is what bench invoke prints.
type invokeBench struct {
	Rounds   int     `json:"rounds"`
	Calls    uint64  `json:"calls"`
	NineP50  int64   `json:"nine_steps_p50_ns"`
	NineP99  int64   `json:"nine_steps_p99_ns"`
	EightP50 int64   `json:"eight_steps_p50_ns"` // the nine without finding the window
	EightP99 int64   `json:"eight_steps_p99_ns"`
	KeptP50  int64   `json:"cached_p50_ns"`
	KeptP99  int64   `json:"cached_p99_ns"`
	TCPP50   int64   `json:"tcp_p50_ns"`
	TCPP99   int64   `json:"tcp_p99_ns"`
	Ratio    float64 `json:"ratio_p50"`       // nine steps to cached
	Eight    float64 `json:"eight_ratio_p50"` // eight steps to cached
	TCPRatio float64 `json:"tcp_ratio_p50"`   // TCP to cached
	CallP50  int64   `json:"call_p50_ns"`
	CallP99  int64   `json:"call_p99_ns"`
	NineCall float64 `json:"nine_to_call_p50"` // nine steps to a call
}

func newInvokeBench(all []round) *invokeBench {
	r := &invokeBench{Rounds: len(all)}
	for _, one := range all {
		r.Calls += one.nine.calls + one.cached.calls + one.tcp.calls + one.call.calls
	}
	r.NineP50 = medianOf(all, func(o round) int64 { return o.nine.p50 })
	r.NineP99 = medianOf(all, func(o round) int64 { return o.nine.p99 })
	r.EightP50 = medianOf(all, func(o round) int64 { return o.nine.knownP50 })
	r.EightP99 = medianOf(all, func(o round) int64 { return o.nine.knownP99 })
	r.KeptP50 = medianOf(all, func(o round) int64 { return o.cached.p50 })
	r.KeptP99 = medianOf(all, func(o round) int64 { return o.cached.p99 })
	r.TCPP50 = medianOf(all, func(o round) int64 { return o.tcp.p50 })
	r.TCPP99 = medianOf(all, func(o round) int64 { return o.tcp.p99 })
	r.CallP50 = medianOf(all, func(o round) int64 { return o.call.p50 })
	r.CallP99 = medianOf(all, func(o round) int64 { return o.call.p99 })
	r.NineCall = medianOf(all, func(o round) float64 { return ratio(float64(o.nine.p50), float64(o.call.p50)) })
	r.Ratio = medianOf(all, func(o round) float64 { return ratio(float64(o.nine.p50), float64(o.cached.p50)) })
	r.Eight = medianOf(all, func(o round) float64 { return ratio(float64(o.nine.knownP50), float64(o.cached.p50)) })
	r.TCPRatio = medianOf(all, func(o round) float64 { return ratio(float64(o.tcp.p50), float64(o.cached.p50)) })
	return r
}

func medianOf[T int64 | float64](all []round, of func(round) T) T {
	var values []T
	for _, one := range all {
		values = append(values, of(one))
	}
	return median(values)
}

func (r *invokeBench) grid() [][]string {
	times := func(x float64) string { return fmt.Sprintf("%.2f", x) }
	return [][]string{
		{"16 BYTES", "P50", "P99", "TO INVOKE"},
		{"nine steps", duration(r.NineP50), duration(r.NineP99), times(r.Ratio)},
		{"eight steps", duration(r.EightP50), duration(r.EightP99), times(r.Eight)},
		{"invoke", duration(r.KeptP50), duration(r.KeptP99), times(1)},
		{"TCP", duration(r.TCPP50), duration(r.TCPP99), times(r.TCPRatio)},
		{"call", duration(r.CallP50), duration(r.CallP99), fmt.Sprintf("%.4f", ratio(float64(r.CallP50), float64(r.KeptP50)))},
	}
}

func (r *invokeBench) table() []row {
	return []row{{}, {"nine steps", fmt.Sprintf("take %.0f times as long as a call", r.NineCall)}, {"requests", fmt.Sprintf("%s in %d rounds, every answer verified", grouped(r.Calls), r.Rounds)}}
}

// newServeInvoke returns the hidden command that is the server process.
func newServeInvoke() *cobra.Command {
	return &cobra.Command{
		Use:    "serve-child-invoke",
		Short:  "Be the server process of invoke, until standard input ends",
		Hidden: true,
		Args:   noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			signal.Ignore(os.Interrupt, syscall.SIGHUP) // as the other one does
			return serveInvoke(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}
