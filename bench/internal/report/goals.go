package report

import (
	"fmt"

	"github.com/partywall/partywall/bench/internal/contender"
	"github.com/partywall/partywall/bench/internal/stats"
)

// A Verdict is what the run says of one goal.
type Verdict struct {
	Goal     string  `json:"goal"`
	Measured float64 `json:"measured"`
	Unit     string  `json:"unit"`
	Sense    string  `json:"sense"` // how Measured has to compare with Limit: <=, < or >=
	Limit    float64 `json:"limit"`
	Met      bool    `json:"met"`
	Noisy    bool    `json:"noisy,omitempty"`   // the machine's limits did not keep still for messages of this size
	Unknown  bool    `json:"unknown,omitempty"` // the run has not measured what it takes
}

// A goal is what partywall is meant to reach.
type goal struct {
	text  string
	unit  string
	sense string
	limit float64
	measurement
}

// A measurement is how a goal's figure comes from a report.
type measurement struct {
	size int // of the messages; 0 if it counts what a noisy machine does not change
	// measure returns false if the report lacks something.
	measure func(r *Report) (float64, bool)
}

// allocations below this are none: what the measuring itself allocates is spread over its calls.
const noAllocations = 0.01

// cells that goals speak of.
var (
	one64      = Cell{Size: 64, Goroutines: 1}
	deadline64 = Cell{Size: 64, Goroutines: 1, Deadline: true}
	slow64     = Cell{Size: 64, Goroutines: 1, Rate: 1_000}
	fast64     = Cell{Size: 64, Goroutines: 1, Rate: 10_000}
)

var goals = func() []goal {
	const pw, lease, sock = contender.PartywallCall, contender.PartywallLease, contender.Socket
	gs := []goal{
		{"64 B, 1 goroutine: p50 to that of two C processes that spin", "×", "<=", 2.5, compare(pw, SpinLimit, one64, Sample.P50)},
		{"64 B, 1 goroutine: faster than a raw Unix socket, p50", "×", ">=", 50, compare(sock, pw, one64, Sample.P50)},
		{"64 B, 1 goroutine: faster than gRPC, p50", "×", ">=", 150, compare(contender.GRPC, pw, one64, Sample.P50)},
		{"64 B, 1 goroutine", "calls/s", ">=", 1_500_000, absolute(pw, one64, Sample.PerSecond)},
	}
	for _, n := range []int{64, 512} {
		c := Cell{Size: 64, Goroutines: n}
		gs = append(gs,
			goal{fmt.Sprintf("64 B, %d goroutines", n), "calls/s", ">=", 1_200_000, absolute(pw, c, Sample.PerSecond)},
			goal{fmt.Sprintf("64 B, %d goroutines: calls/s to those of a dispatcher in one process", n), "×", ">=", 0.8,
				compare(pw, contender.Dispatcher, c, Sample.PerSecond)})
	}
	for _, size := range []int{1 << 20, 16 << 20} {
		c := Cell{Size: size, Goroutines: 1}
		gs = append(gs,
			goal{Bytes(size) + ", Lease: p50 to that of the same copies by two C processes", "×", "<=", 1.3, compare(lease, SpinLimit, c, Sample.P50)},
			goal{Bytes(size) + ", Lease: faster than a raw Unix socket, p50", "×", ">=", 5, compare(sock, lease, c, Sample.P50)})
	}
	return append(gs,
		goal{"64 B, 1,000 calls/s: p50 to the socket's", "×", "<=", 1.05, compare(pw, sock, slow64, Sample.P50)},
		goal{"64 B, 1,000 calls/s: processor time of both sides to the socket's", "×", "<=", 1.5, compare(pw, sock, slow64, Sample.CPU)},
		goal{"64 B, 10,000 calls/s: p50 to the socket's", "×", "<", 0.5, compare(pw, sock, fast64, Sample.P50)},
		goal{"an idle conn: context switches of both sides", "", "<=", 0, idle(func(i Idle) int64 { return i.ClientSwitches + i.ServerSwitches })},
		goal{"an idle conn: processor time of both sides", "ns", "<=", 0, idle(func(i Idle) int64 { return i.ClientCPU + i.ServerCPU })},
		goal{"a section of 64 B: Load", "ns", "<=", 15, section(func(s *Section) float64 { return s.LoadP50NS })},
		goal{"a section of 64 B: Store", "ns", "<=", 60, section(func(s *Section) float64 { return s.StoreP50NS })},
		goal{"64 B: allocations per call, on the side that makes more", "", "<", noAllocations, counted(absolute(pw, one64, Sample.Allocs))},
		goal{"64 B with a deadline: the same", "", "<=", 2, counted(absolute(pw, deadline64, Sample.Allocs))},
		goal{"an idle conn: resident memory at the client", "KiB", "<=", 256, idle(func(i Idle) int64 { return i.ClientBytes >> 10 })},
		goal{"an idle conn: resident memory at the server", "KiB", "<=", 256, idle(func(i Idle) int64 { return i.ServerBytes >> 10 })},
	)
}()

// compare is the median over the rounds of what a has, divided by what b has in the same round.
func compare(a, b string, c Cell, of func(Sample) float64) measurement {
	return measurement{c.Size, func(r *Report) (float64, bool) {
		x, y := r.Find(a, c), r.Find(b, c)
		if x == nil || y == nil {
			return 0, false
		}
		var ratios []float64
		for i := range min(len(x.Rounds), len(y.Rounds)) {
			if d := of(y.Rounds[i]); d > 0 {
				ratios = append(ratios, of(x.Rounds[i])/d)
			}
		}
		return stats.Median(ratios), len(ratios) > 0
	}}
}

func absolute(a string, c Cell, of func(Sample) float64) measurement {
	return measurement{c.Size, func(r *Report) (float64, bool) {
		x := r.Find(a, c)
		if x == nil {
			return 0, false
		}
		return stats.MedianOf(x.Rounds, of), true
	}}
}

// counted marks a figure that is a count, which a noisy machine does not change.
func counted(m measurement) measurement {
	m.size = 0
	return m
}

func idle(of func(Idle) int64) measurement {
	return measurement{0, func(r *Report) (float64, bool) {
		for _, i := range r.Idle {
			if i.Contender == contender.PartywallCall {
				return float64(of(i)), true
			}
		}
		return 0, false
	}}
}

func section(of func(*Section) float64) measurement {
	return measurement{one64.Size, func(r *Report) (float64, bool) {
		if r.Section == nil {
			return 0, false
		}
		return of(r.Section), true
	}}
}

// JudgeGoals fills in Goals. Noise has to be judged before.
func (r *Report) JudgeGoals() {
	r.Goals = nil
	for _, g := range goals {
		v := Verdict{Goal: g.text, Unit: g.unit, Sense: g.sense, Limit: g.limit}
		measured, ok := g.measure(r)
		if ok {
			v.Measured, v.Met = measured, holds(measured, g.sense, g.limit)
		}
		v.Unknown, v.Noisy = !ok, ok && r.Noise.At(g.size)
		r.Goals = append(r.Goals, v)
	}
}

func holds(measured float64, sense string, limit float64) bool {
	switch sense {
	case "<":
		return measured < limit
	case "<=":
		return measured <= limit
	}
	return measured >= limit
}

// AllMet reports whether every goal was measured and is met.
func (r *Report) AllMet() bool {
	for _, v := range r.Goals {
		if !v.Met {
			return false
		}
	}
	return len(r.Goals) > 0
}
