package main

import "fmt"

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
	AloneP50NS   int64   `json:"alone_p50_ns"`  // median over the rounds
	BesideP50NS  int64   `json:"beside_p50_ns"` // the same, each round in turn with one of the others
	BesideRatio  float64 `json:"beside_ratio"`
	ServerThread int     `json:"server_threads"`
}

func (r *benchReport) fill(l *loadResult, before, after usages) {
	r.Seconds = l.took.Seconds()
	r.Calls = l.times.count
	calls := float64(r.Calls)
	r.OpsPerS = ratio(calls, r.Seconds)
	r.P50NS, r.P99NS, r.P999NS, r.MaxNS = l.times.quantile(0.5), l.times.quantile(0.99), l.times.quantile(0.999), l.times.max
	wall := float64(after.at.Sub(before.at).Nanoseconds())
	r.ClientCPU = 100 * ratio(float64(after.client.CPU-before.client.CPU), wall)
	r.ServerCPU = 100 * ratio(float64(after.server.CPU-before.server.CPU), wall)
	r.ClientMem = ratio(float64(after.client.Mallocs-before.client.Mallocs), calls)
	r.ServerMem = ratio(float64(after.server.Mallocs-before.server.Mallocs), calls)
	r.ClientThreads, r.ServerThreads = int(after.client.Threads), int(after.server.Threads)
}

// ratio is 0 where there is nothing to divide by, which a coarse clock can cause:
// JSON has no infinity.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func (r *benchReport) table() []row {
	goroutines := fmt.Sprint(r.Goroutines)
	if r.Rate > 0 {
		goroutines += fmt.Sprintf(", %g calls per second asked for", r.Rate)
	}
	rows := []row{
		{"size", fmt.Sprintf("%s bytes each way, in a %s", grouped(uint64(r.Size)), r.CarriedBy)},
		{"goroutines", goroutines},
		{"calls", fmt.Sprintf("%s in %.2f s, every answer verified", grouped(r.Calls), r.Seconds)},
		{"calls per second", grouped(uint64(r.OpsPerS + 0.5))},
		{},
		{"first call", duration(r.ColdNS)},
		{"p50", duration(r.P50NS)},
		{"p99", duration(r.P99NS)},
		{"p99.9", duration(r.P999NS)},
		{"max", duration(r.MaxNS)},
		{},
		{"client", process(r.ClientCPU, r.ClientMem, r.ClientThreads)},
		{"server", process(r.ServerCPU, r.ServerMem, r.ServerThreads)},
	}
	if i := r.Idle; i != nil {
		rows = append(rows,
			row{},
			row{"idle conns", fmt.Sprintf("%s, %d server threads", grouped(uint64(i.Conns)), i.ServerThread)},
			row{"processor time", fmt.Sprintf("%d ticks of the server in %.1f s", i.CPUTicks, i.Seconds)},
			row{"a hot conn's p50", fmt.Sprintf("%s beside them, %s alone: %.2f times", duration(i.BesideP50NS), duration(i.AloneP50NS), i.BesideRatio)},
		)
	}
	return rows
}

func process(cpu, allocs float64, threads int) string {
	return fmt.Sprintf("%3.0f %% of a processor, %.3f allocations a call, %d threads", cpu, allocs, threads)
}
