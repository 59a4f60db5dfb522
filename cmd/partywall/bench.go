package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/call"
)

func newBench() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure partywall on this machine",
		Args:  usageArgs(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBenchCall(), newServe(handleBench, call.Quota(benchQuota)))
	return cmd
}

const benchQuota = 8 << 30

// benchReport is what bench call prints.
type benchReport struct {
	Size       int     `json:"size"`
	CarriedBy  string  `json:"carried_by"` // slot: a fixed-layout struct; body: bytes in a lent region
	Goroutines int     `json:"goroutines"`
	Rate       float64 `json:"rate,omitempty"` // calls/s asked for
	Seconds    float64 `json:"seconds"`
	Calls      uint64  `json:"calls"`
	OpsPerS    float64 `json:"ops_per_s"`
	ColdNS     int64   `json:"cold_ns"` // the first call of all
	P50NS      int64   `json:"p50_ns"`
	P99NS      int64   `json:"p99_ns"`
	P999NS     int64   `json:"p999_ns"`
	MaxNS      int64   `json:"max_ns"`
	ClientCPU  float64 `json:"client_cpu_pct"` // 100: one processor
	ServerCPU  float64 `json:"server_cpu_pct"`
	ClientMem  float64 `json:"client_allocs_per_call"`
	ServerMem  float64 `json:"server_allocs_per_call"`

	ServerThreads int         `json:"server_threads"`
	ClientThreads int         `json:"client_threads"`
	Idle          *idleReport `json:"idle,omitempty"`
}

// idleReport compares a conn alone with the same beside many idle ones.
type idleReport struct {
	Conns        int     `json:"conns"`
	CPUTicks     int64   `json:"server_cpu_ticks"` // utime+stime of the server while all conns are idle
	Seconds      float64 `json:"seconds"`
	AloneP50NS   int64   `json:"alone_p50_ns"`  // median of five rounds
	BesideP50NS  int64   `json:"beside_p50_ns"` // median of five rounds, in turn with the others
	BesideRatio  float64 `json:"beside_ratio"`
	ServerThread int     `json:"server_threads"`
}

type benchCall struct {
	size       int
	goroutines int
	duration   time.Duration
	rate       float64
	body       bool
	idle       int
	asJSON     bool
}

func newBenchCall() *cobra.Command {
	var b benchCall
	cmd := &cobra.Command{
		Use:   "call",
		Short: "Measure calls between two processes",
		Long: `Start a server process and call it: each call writes an argument of --size bytes,
the server reads it and writes a result of the same size, and the client
verifies every byte of it. The calls go through the public API with default
options and a context that has a deadline.

Sizes of 8, 16, ... 1024 bytes (powers of two) are fixed-layout structs in a
slot; all other sizes, and all with --body, are bodies. Latencies are those of
the calls alone; verifying lies between them and counts for calls per second.

A machine that does other things gives other figures: compare within one run.`,
		Example: `  partywall bench call --size 64 --goroutines 1 --duration 3s
  partywall bench call --size 1048576
  partywall bench call --rate 1000
  partywall bench call --idle-conns 1000`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd) },
	}
	f := cmd.Flags()
	f.IntVar(&b.size, "size", 64, "bytes of argument and of result")
	f.IntVar(&b.goroutines, "goroutines", 1, "goroutines that call through one conn")
	f.DurationVar(&b.duration, "duration", 3*time.Second, "how long to measure")
	f.Float64Var(&b.rate, "rate", 0, "calls per second over all goroutines; 0 is as fast as it goes")
	f.BoolVar(&b.body, "body", false, "carry any size as a body")
	f.IntVar(&b.idle, "idle-conns", 0, "also compare with this many idle conns beside")
	jsonFlag(cmd, &b.asJSON)
	return cmd
}

func (b *benchCall) check(cmd *cobra.Command) error {
	switch {
	case b.size < 0 || b.size > call.MaxBody:
		return usagef(cmd, "--size %d: 0 to %d are possible", b.size, call.MaxBody)
	case b.goroutines < 1 || b.goroutines > 100_000:
		return usagef(cmd, "--goroutines %d: 1 to 100000 are possible", b.goroutines)
	case b.duration <= 0 || b.duration > 24*time.Hour:
		return usagef(cmd, "--duration %v: more than 0 and at most 24h is possible", b.duration)
	case b.rate < 0 || b.rate > 1e9:
		return usagef(cmd, "--rate %g: 0 to 1e9 calls per second are possible", b.rate)
	case b.idle < 0 || b.idle > 4000:
		return usagef(cmd, "--idle-conns %d: 0 to 4000 are possible", b.idle)
	}
	return nil
}

func (b *benchCall) run(cmd *cobra.Command) error {
	if err := b.check(cmd); err != nil {
		return err
	}
	server, err := startChild(cmd.Context(), "bench", "serve-child")
	if err != nil {
		return err
	}
	report, err := b.measure(cmd.Context(), server)
	if stopErr := server.stop(); err == nil {
		err = stopErr
	}
	if err != nil {
		return err
	}
	if b.asJSON {
		return printJSON(cmd, report)
	}
	return report.print(cmd)
}

// measure warms up for a tenth of the time, and then measures.
func (b *benchCall) measure(ctx context.Context, server *child) (*benchReport, error) {
	conn, err := call.Dial(ctx, childService)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if conn.Peer().PID != server.pid() {
		return nil, errors.New("another process than the one started serves")
	}
	report := &benchReport{Size: b.size, Goroutines: b.goroutines, Rate: b.rate, CarriedBy: "body"}
	exchange := fixedExchanges[b.size]
	if exchange == nil || b.body {
		exchange = newBodyExchange(b.size)
	} else {
		report.CarriedBy = "slot"
	}
	l := load{conn: conn, exchange: exchange, goroutines: b.goroutines, rate: b.rate}
	if report.ColdNS, err = l.once(ctx); err != nil {
		return nil, err
	}
	if _, err := l.run(ctx, b.duration/10); err != nil {
		return nil, err
	}
	before, err := usageOfBoth(ctx, conn)
	if err != nil {
		return nil, err
	}
	result, err := l.run(ctx, b.duration)
	if err != nil {
		return nil, err
	}
	after, err := usageOfBoth(ctx, conn)
	if err != nil {
		return nil, err
	}
	report.fill(result, before, after)
	if b.idle > 0 {
		if report.Idle, err = measureIdle(ctx, conn, l, b.idle); err != nil {
			return nil, err
		}
	}
	return report, nil
}

func (r *benchReport) fill(l *loadResult, before, after usages) {
	r.Seconds = l.took.Seconds()
	r.Calls = l.times.count
	r.OpsPerS = float64(l.times.count) / r.Seconds
	r.P50NS, r.P99NS, r.P999NS, r.MaxNS = l.times.quantile(0.5), l.times.quantile(0.99), l.times.quantile(0.999), l.times.max
	wall := after.at.Sub(before.at).Seconds() * 1e9
	r.ClientCPU = 100 * float64(after.client.CPU-before.client.CPU) / wall
	r.ServerCPU = 100 * float64(after.server.CPU-before.server.CPU) / wall
	r.ClientMem = float64(after.client.Mallocs-before.client.Mallocs) / float64(r.Calls)
	r.ServerMem = float64(after.server.Mallocs-before.server.Mallocs) / float64(r.Calls)
	r.ClientThreads, r.ServerThreads = int(after.client.Threads), int(after.server.Threads)
}

func (r *benchReport) print(cmd *cobra.Command) error {
	rows := [][2]string{
		{"size", fmt.Sprintf("%d bytes each way, in a %s", r.Size, r.CarriedBy)},
		{"goroutines", fmt.Sprint(r.Goroutines)},
		{"calls", fmt.Sprintf("%d in %.2f s", r.Calls, r.Seconds)},
		{"calls per second", fmt.Sprintf("%.0f", r.OpsPerS)},
		{"first call", duration(r.ColdNS)},
		{"p50", duration(r.P50NS)},
		{"p99", duration(r.P99NS)},
		{"p99.9", duration(r.P999NS)},
		{"max", duration(r.MaxNS)},
		{"client", fmt.Sprintf("%.0f %% of a processor, %.3f allocations a call, %d threads", r.ClientCPU, r.ClientMem, r.ClientThreads)},
		{"server", fmt.Sprintf("%.0f %% of a processor, %.3f allocations a call, %d threads", r.ServerCPU, r.ServerMem, r.ServerThreads)},
	}
	if i := r.Idle; i != nil {
		rows = append(rows,
			[2]string{},
			[2]string{"idle conns", fmt.Sprintf("%d, %d server threads", i.Conns, i.ServerThread)},
			[2]string{"their processor time", fmt.Sprintf("%d ticks in %.1f s", i.CPUTicks, i.Seconds)},
			[2]string{"a hot conn's p50", fmt.Sprintf("%s beside them, %s alone: %.2f times", duration(i.BesideP50NS), duration(i.AloneP50NS), i.BesideRatio)},
		)
	}
	return printTable(cmd, rows)
}

func duration(ns int64) string {
	switch {
	case ns < 10_000:
		return fmt.Sprintf("%d ns", ns)
	case ns < 10_000_000:
		return fmt.Sprintf("%.1f µs", float64(ns)/1e3)
	}
	return fmt.Sprintf("%.1f ms", float64(ns)/1e6)
}
