package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/bench/internal/contender"
)

// sample is one with a p50 and calls/s.
func sample(p50 int64, perSecond float64) Sample {
	return Sample{Calls: uint64(perSecond), Seconds: 1, Quantiles: []Quantile{{0.5, p50}}}
}

// good is a report in which all goals are just met.
func good() *Report {
	r := &Report{Section: &Section{}, Idle: []Idle{{Contender: contender.Socket, ClientSwitches: 9}, {Contender: contender.PartywallCall, ClientBytes: 256 << 10, ServerBytes: 256 << 10}}}
	r.Section.Add(15, 60)
	add := func(name string, c Cell, s Sample) { r.Add(name, name, c, s) }
	add(contender.PartywallCall, one64, sample(250, 1_500_000))
	add(SpinLimit, one64, sample(100, 1))
	add(contender.Socket, one64, sample(12_500, 1))
	add(contender.GRPC, one64, sample(37_500, 1))
	for _, n := range []int{64, 512} {
		add(contender.PartywallCall, Cell{Size: 64, Goroutines: n}, sample(1, 1_200_000))
		add(contender.Dispatcher, Cell{Size: 64, Goroutines: n}, sample(1, 1_500_000))
	}
	for _, size := range []int{1 << 20, 16 << 20} {
		c := Cell{Size: size, Goroutines: 1}
		add(contender.PartywallLease, c, sample(130, 1))
		add(SpinLimit, c, sample(100, 1))
		add(contender.Socket, c, sample(650, 1))
	}
	cpu := func(s Sample, ns int64) Sample { s.ClientCPU, s.ServerCPU = ns/2, ns/2; return s }
	add(contender.PartywallCall, slow64, cpu(sample(105, 1), 150))
	add(contender.Socket, slow64, cpu(sample(100, 1), 100))
	add(contender.PartywallCall, fast64, sample(49, 1))
	add(contender.Socket, fast64, sample(100, 1))
	deadline := sample(1, 1)
	deadline.ServerAllocs = 2
	add(contender.PartywallCall, deadline64, deadline)
	return r
}

func TestGoals(t *testing.T) {
	r := good()
	r.JudgeGoals()
	if !r.AllMet() {
		t.Errorf("not all are met: %+v", r.Goals)
	}
	in := func(name string, c Cell) *Sample { return &r.Find(name, c).Rounds[0] }
	for _, c := range []struct {
		goal  string // its beginning
		spoil func()
	}{
		{"64 B, 1 goroutine: p50 to", func() { in(SpinLimit, one64).Quantiles[0].NS = 99 }},
		{"64 B, 1 goroutine: faster than a raw", func() { in(contender.Socket, one64).Quantiles[0].NS = 12_000 }},
		{"64 B, 1 goroutine: faster than gRPC", func() { in(contender.GRPC, one64).Quantiles[0].NS = 37_000 }},
		{"64 B, 1 goroutine", func() { in(contender.PartywallCall, one64).Calls = 1_499_999 }},
		{"64 B, 64 goroutines: calls/s", func() { in(contender.Dispatcher, Cell{Size: 64, Goroutines: 64}).Calls = 1_600_000 }},
		{"16 MiB, Lease: p50 to", func() { in(SpinLimit, Cell{Size: 16 << 20, Goroutines: 1}).Quantiles[0].NS = 99 }},
		{"1 MiB, Lease: faster", func() { in(contender.Socket, Cell{Size: 1 << 20, Goroutines: 1}).Quantiles[0].NS = 649 }},
		{"64 B, 1,000 calls/s: p50", func() { in(contender.PartywallCall, slow64).Quantiles[0].NS = 106 }},
		{"64 B, 1,000 calls/s: processor", func() { in(contender.PartywallCall, slow64).ServerCPU = 76 }},
		{"64 B, 10,000 calls/s", func() { in(contender.PartywallCall, fast64).Quantiles[0].NS = 50 }},
		{"an idle conn: context", func() { r.Idle[1].ServerSwitches = 1 }},
		{"an idle conn: processor", func() { r.Idle[1].ClientCPU = 1 }},
		{"a section of 64 B: Load", func() { r.Section.LoadP50NS = 15.1 }},
		{"a section of 64 B: Store", func() { r.Section.StoreP50NS = 60.1 }},
		{"64 B: allocations", func() { in(contender.PartywallCall, one64).ClientAllocs = 0.01 }},
		{"64 B with a deadline", func() { in(contender.PartywallCall, deadline64).ServerAllocs = 2.1 }},
		{"an idle conn: resident memory at the client", func() { r.Idle[1].ClientBytes = 257 << 10 }},
		{"an idle conn: resident memory at the server", func() { r.Idle[1].ServerBytes = 257 << 10 }},
	} {
		r = good()
		c.spoil()
		r.JudgeGoals()
		var missed []string
		for _, v := range r.Goals {
			if !v.Met {
				missed = append(missed, v.Goal)
			}
		}
		if len(missed) != 1 || !strings.HasPrefix(missed[0], c.goal) || r.AllMet() {
			t.Errorf("not met are %q, want %q", missed, c.goal)
		}
	}
}

// Ratios are those of each round, so that a machine that becomes slower does not distort them.
func TestRatioOfRounds(t *testing.T) {
	r := &Report{}
	for _, slower := range []int64{1, 10, 100} {
		r.Add(contender.PartywallCall, "", one64, sample(200*slower, 1))
		r.Add(SpinLimit, "", one64, sample(100*slower, 1))
	}
	r.JudgeGoals()
	if v := r.Goals[0]; v.Measured != 2 || !v.Met || v.Unknown {
		t.Errorf("%+v", v)
	}
}

func TestNothingMeasured(t *testing.T) {
	var r Report
	r.JudgeNoise()
	r.JudgeGoals()
	for _, v := range r.Goals {
		if v.Met || !v.Unknown {
			t.Errorf("%+v", v)
		}
	}
	if r.AllMet() || !r.Noise.Unknown {
		t.Error("a report of nothing is good, or quiet")
	}
	var b bytes.Buffer
	if err := r.PrintGoals(&b); err != nil || strings.Count(b.String(), "not measured") != len(r.Goals) {
		t.Errorf("%v:\n%s", err, &b)
	}
}

func TestNoise(t *testing.T) {
	for _, c := range []struct {
		limit string
		p50s  []int64
		noisy bool
		known bool
	}{
		{SpinLimit, []int64{100, 110, 125}, false, true},
		{SpinLimit, []int64{100, 110, 130}, true, true},
		{MemcpyLimit, []int64{100, 126}, true, true},
		{MemcpyLimit, []int64{100}, false, false},
		{FutexLimit, []int64{100, 1000}, false, false}, // which says something of wakes, and not of the machine
		{contender.Socket, []int64{100, 1000}, false, false},
	} {
		r := &Report{}
		for _, p50 := range c.p50s {
			r.Add(c.limit, "", one64, sample(p50, 1))
		}
		r.JudgeNoise()
		if r.Noise.Noisy != c.noisy || r.Noise.Unknown == c.known {
			t.Errorf("%s %v: %+v", c.limit, c.p50s, r.Noise)
		}
		if r.Noise.At(one64.Size) != c.noisy || r.Noise.At(4096) {
			t.Errorf("%s %v: noisy at 64 B %v, at 4 KiB, which was not measured, %v", c.limit, c.p50s, r.Noise.At(one64.Size), r.Noise.At(4096))
		}
		if said := strings.Contains(r.Noise.String(), "NOISY"); said != c.noisy {
			t.Errorf("%s %v: %s", c.limit, c.p50s, r.Noise)
		}
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		Bytes(64): "64 B", Bytes(4096): "4 KiB", Bytes(16 << 20): "16 MiB", Bytes(1000): "1000 B",
		Duration(0): "0 ns", Duration(9.87): "9.87 ns", Duration(150): "150 ns", Duration(12_345): "12.3 µs", Duration(2e9): "2.00 s",
		Grouped(0): "0", Grouped(999): "999", Grouped(1234567.4): "1,234,567",
		Cell{Size: 64, Goroutines: 1, Rate: 1000}.String():     "64 B, 1 goroutine, 1,000 calls/s asked for",
		Cell{Size: 64, Goroutines: 8, Deadline: true}.String(): "64 B, 8 goroutines, with a deadline",
		seconds(1500 * time.Millisecond):                       "1.5 s",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A goal is noisy if the limits of its own size are.
func TestNoisyGoals(t *testing.T) {
	r := good()
	r.Add(SpinLimit, SpinLimit, Cell{Size: 1 << 20, Goroutines: 1}, sample(130, 1))
	r.Add(SpinLimit, SpinLimit, one64, sample(110, 1))
	r.JudgeNoise()
	r.JudgeGoals()
	for _, v := range r.Goals {
		if want := strings.HasPrefix(v.Goal, "1 MiB"); v.Noisy != want {
			t.Errorf("%s: noisy is %v", v.Goal, v.Noisy)
		}
	}
	const want = "This machine was NOISY for messages of 1 MiB: c-spin at 1 MiB varied by 30 % between rounds. Figures of these sizes are worth little. Its limits for 64 B kept still."
	if got := r.Noise.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var b bytes.Buffer
	if err := r.PrintGoals(&b); err != nil || strings.Count(b.String(), "met, noisy\n") != 2 {
		t.Errorf("%v:\n%s", err, &b)
	}
}
