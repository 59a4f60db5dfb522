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
		Use:     "bench",
		Short:   "Measure partywall on this machine",
		Example: "  partywall bench call\n  partywall bench section\n  partywall bench invoke",
		Args:    noCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBenchCall(), newBenchInvoke(), newBenchSection(), newServeSection(), newServeInvoke(), newServe(handleBench, call.Quota(benchQuota)))
	return cmd
}

const (
	// maxTotal bounds the arguments of all goroutines together, in bytes. The
	// client has each body twice more, and lends memory for two.
	maxTotal = 1 << 30

	// benchQuota is enough for maxTotal of arguments and as much of results, each
	// rounded up to a power of two.
	benchQuota = 8 << 30

	maxGoroutines = 10_000
	maxIdle       = 4000 // conns: a service takes 4096 unless told otherwise
)

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

--idle-conns takes about 20 seconds more: it compares the median latency of one
conn, alone and beside the idle ones, and watches what those cost the server.

A machine that does other things gives other figures: compare within one run.`,
		Example: `  partywall bench call --size 64 --goroutines 1 --duration 3s
  partywall bench call --size 1048576
  partywall bench call --goroutines 64 --json
  partywall bench call --rate 1000
  partywall bench call --idle-conns 1000`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd) },
	}
	f := cmd.Flags()
	f.IntVar(&b.size, "size", 64, "`bytes` of argument and of result")
	f.IntVar(&b.goroutines, "goroutines", 1, "`number` of goroutines that call through one conn")
	f.DurationVar(&b.duration, "duration", 3*time.Second, "how `long` to measure, after a tenth of it to warm up")
	f.Float64Var(&b.rate, "rate", 0, "`calls` per second over all goroutines; 0: as fast as it goes")
	f.BoolVar(&b.body, "body", false, "carry any size as a body")
	f.IntVar(&b.idle, "idle-conns", 0, "also compare with this `number` of idle conns beside")
	jsonFlag(cmd, &b.asJSON)
	return cmd
}

// check refuses by what is possible, so that a NaN is refused too.
func (b *benchCall) check(cmd *cobra.Command) error {
	switch {
	case b.size < 0 || b.size > call.MaxBody:
		return usagef(cmd, "--size %d: 0 to %d are possible", b.size, call.MaxBody)
	case b.goroutines < 1 || b.goroutines > maxGoroutines:
		return usagef(cmd, "--goroutines %d: 1 to %d are possible", b.goroutines, maxGoroutines)
	case b.size > maxTotal/b.goroutines:
		return usagef(cmd, "--size %d with --goroutines %d: %d bytes are possible for all goroutines together", b.size, b.goroutines, maxTotal)
	case b.duration < time.Millisecond || b.duration > 24*time.Hour:
		return usagef(cmd, "--duration %v: 1ms to 24h are possible", b.duration)
	case b.rate != 0 && !(0.001 <= b.rate && b.rate <= 1e9):
		return usagef(cmd, "--rate %g: 0, or 0.001 to 1e9 calls per second are possible", b.rate)
	case b.idle < 0 || b.idle > maxIdle:
		return usagef(cmd, "--idle-conns %d: 0 to %d are possible", b.idle, maxIdle)
	}
	return nil
}

// silentBelow is how long a measurement may take without a word about the time left.
var silentBelow = 5 * time.Second

// takes is how long it all takes, without starting and dialling.
func (b *benchCall) takes() time.Duration {
	total := b.warmUp() + b.duration
	if b.idle > 0 {
		total += idleTakes()
	}
	return total
}

func (b *benchCall) warmUp() time.Duration { return b.duration / 10 }

func (b *benchCall) run(cmd *cobra.Command) error {
	if err := b.check(cmd); err != nil {
		return err
	}
	server, err := startChild(cmd.Context(), "bench", "serve-child")
	if err != nil {
		return err
	}
	end := func() {}
	if total := b.takes(); total > silentBelow {
		end = newProgress().during(func(since time.Duration) string {
			return fmt.Sprintf("measuring: %v left", max(0, total-since).Round(time.Second))
		})
	}
	report, err := b.measure(cmd.Context(), server)
	end()
	if err := server.stop(err); err != nil {
		return err
	}
	if b.asJSON {
		return printJSON(cmd.OutOrStdout(), report)
	}
	return printTable(cmd.OutOrStdout(), report.table())
}

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
	if _, err := l.run(ctx, b.warmUp()); err != nil {
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
