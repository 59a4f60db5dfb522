// Package report holds what the benchmark finds: its JSON, its tables, its judgement by the goals, and
// whether the machine was too noisy to be believed.
package report

import (
	"slices"
	"time"

	"github.com/partywall/partywall/bench/internal/stats"
)

// A Report is all that a run has found. It is the JSON.
type Report struct {
	Date        time.Time         `json:"date"`
	Machine     Machine           `json:"machine"`
	Versions    map[string]string `json:"versions"` // of Go, and of the contenders' modules
	Settings    Settings          `json:"settings"`
	Noise       Noise             `json:"noise"`
	Series      []Series          `json:"series"`
	Idle        []Idle            `json:"idle"`
	Section     *Section          `json:"section,omitempty"`
	NotMeasured []NotMeasured     `json:"not_measured,omitempty"`
	Goals       []Verdict         `json:"goals,omitempty"`
	Windows     *Windows          `json:"windows,omitempty"` // by --wine
}

// A Machine is where it ran.
type Machine struct {
	System     string `json:"system"` // GOOS/GOARCH
	Kernel     string `json:"kernel,omitempty"`
	CPU        string `json:"cpu,omitempty"`
	Processors int    `json:"processors"` // that a process may use
	Memory     int64  `json:"memory_bytes,omitempty"`
}

// Settings are how it ran.
type Settings struct {
	Rounds    int           `json:"rounds"`
	RoundTime time.Duration `json:"round_time_ns"`
	IdleTime  time.Duration `json:"idle_time_ns"`
	HeapMiB   int           `json:"heap_mib"` // live on both sides
}

// A Cell is what is done by a contender: one place in the tables.
type Cell struct {
	Size       int     `json:"size"` // bytes of the request, and of the answer
	Goroutines int     `json:"goroutines"`
	Rate       float64 `json:"rate,omitempty"`     // calls/s; 0: as fast as it goes
	Deadline   bool    `json:"deadline,omitempty"` // the context has one
}

// A Sample is what one contender did in one cell in one round.
type Sample struct {
	Calls        uint64     `json:"calls"`
	Seconds      float64    `json:"seconds"`
	Quantiles    []Quantile `json:"quantiles"`
	ClientCPU    int64      `json:"client_cpu_ns"` // in Seconds
	ServerCPU    int64      `json:"server_cpu_ns"`
	ClientAllocs float64    `json:"client_allocs_per_call"`
	ServerAllocs float64    `json:"server_allocs_per_call"`
	ClientRSS    int64      `json:"client_rss"` // bytes resident at the end
	ServerRSS    int64      `json:"server_rss"`
}

// A Quantile is the time that a share Q of the calls were no longer than.
type Quantile struct {
	Q  float64 `json:"q"`
	NS int64   `json:"ns"`
}

// Quantiles are those that a sample has.
var Quantiles = []float64{0, .1, .25, .5, .75, .9, .95, .99, .995, .999, .9999}

// NewQuantiles takes them from a histogram.
func NewQuantiles(h *stats.Histogram) []Quantile {
	qs := make([]Quantile, len(Quantiles))
	for i, q := range Quantiles {
		qs[i] = Quantile{q, h.Quantile(q)}
	}
	return qs
}

// At returns the quantile q in nanoseconds, 0 if the sample lacks it.
func (s Sample) At(q float64) float64 {
	for _, one := range s.Quantiles {
		if one.Q == q {
			return float64(one.NS)
		}
	}
	return 0
}

// P50 is the median latency in nanoseconds.
func (s Sample) P50() float64 { return s.At(0.5) }

// PerSecond is how many calls there were in a second.
func (s Sample) PerSecond() float64 { return stats.Ratio(float64(s.Calls), s.Seconds) }

// CPU is the processor time of both sides, as a share of one processor.
func (s Sample) CPU() float64 {
	return stats.Ratio(float64(s.ClientCPU+s.ServerCPU), s.Seconds*1e9)
}

// Allocs is how many allocations a call makes on the side that makes more.
func (s Sample) Allocs() float64 { return max(s.ClientAllocs, s.ServerAllocs) }

// A Series is what one contender did in one cell, round by round.
type Series struct {
	Contender string   `json:"contender"`
	Title     string   `json:"title"`
	Cell      Cell     `json:"cell"`
	Rounds    []Sample `json:"rounds"`
	Median    Medians  `json:"median"`
}

// Medians are those over the rounds of a series.
type Medians struct {
	Quantiles    []Quantile `json:"quantiles"`
	PerSecond    float64    `json:"calls_per_s"`
	ClientCPU    float64    `json:"client_cpu"` // as a share of one processor
	ServerCPU    float64    `json:"server_cpu"`
	ClientAllocs float64    `json:"client_allocs_per_call"`
	ServerAllocs float64    `json:"server_allocs_per_call"`
	ClientRSS    int64      `json:"client_rss"`
	ServerRSS    int64      `json:"server_rss"`
}

// Add takes a round's sample in, and brings the medians up to date.
func (s *Series) Add(one Sample) {
	s.Rounds = append(s.Rounds, one)
	share := func(of func(Sample) int64) float64 {
		return stats.MedianOf(s.Rounds, func(s Sample) float64 { return stats.Ratio(float64(of(s)), s.Seconds*1e9) })
	}
	m := Medians{
		PerSecond:    stats.MedianOf(s.Rounds, Sample.PerSecond),
		ClientCPU:    share(func(s Sample) int64 { return s.ClientCPU }),
		ServerCPU:    share(func(s Sample) int64 { return s.ServerCPU }),
		ClientAllocs: stats.MedianOf(s.Rounds, func(s Sample) float64 { return s.ClientAllocs }),
		ServerAllocs: stats.MedianOf(s.Rounds, func(s Sample) float64 { return s.ServerAllocs }),
		ClientRSS:    stats.MedianOf(s.Rounds, func(s Sample) int64 { return s.ClientRSS }),
		ServerRSS:    stats.MedianOf(s.Rounds, func(s Sample) int64 { return s.ServerRSS }),
	}
	for _, q := range Quantiles {
		m.Quantiles = append(m.Quantiles, Quantile{q, int64(stats.MedianOf(s.Rounds, func(s Sample) float64 { return s.At(q) }))})
	}
	s.Median = m
}

// At returns the median of a quantile in nanoseconds.
func (m Medians) At(q float64) float64 { return Sample{Quantiles: m.Quantiles}.At(q) }

// Idle is what a conn costs that nobody uses.
type Idle struct {
	Contender      string  `json:"contender"`
	Title          string  `json:"title"`
	Seconds        float64 `json:"seconds"`
	ClientSwitches int64   `json:"client_context_switches"` // voluntary and not, of all threads
	ServerSwitches int64   `json:"server_context_switches"`
	ClientCPU      int64   `json:"client_cpu_ns"`
	ServerCPU      int64   `json:"server_cpu_ns"`
	ClientBytes    int64   `json:"client_bytes_per_conn"` // resident
	ServerBytes    int64   `json:"server_bytes_per_conn"`
}

// Section is what a section of 64 bytes does without others: the median of each round, in nanoseconds.
type Section struct {
	Load       []float64 `json:"load_rounds_ns"`
	Store      []float64 `json:"store_rounds_ns"`
	LoadP50NS  float64   `json:"load_ns"`
	StoreP50NS float64   `json:"store_ns"`
}

// Add takes a round in.
func (s *Section) Add(load, store float64) {
	s.Load, s.Store = append(s.Load, load), append(s.Store, store)
	s.LoadP50NS, s.StoreP50NS = stats.Median(s.Load), stats.Median(s.Store)
}

// NotMeasured says what is missing, why, and what to do about it.
type NotMeasured struct {
	Contender string `json:"contender"`
	Why       string `json:"why"`
}

// Find returns the series of a contender in a cell, and nil if it was not measured.
func (r *Report) Find(contender string, c Cell) *Series {
	i := slices.IndexFunc(r.Series, func(s Series) bool { return s.Contender == contender && s.Cell == c })
	if i < 0 {
		return nil
	}
	return &r.Series[i]
}

// Add takes a sample in.
func (r *Report) Add(contender, title string, c Cell, one Sample) {
	s := r.Find(contender, c)
	if s == nil {
		r.Series = append(r.Series, Series{Contender: contender, Title: title, Cell: c})
		s = &r.Series[len(r.Series)-1]
	}
	s.Add(one)
}
