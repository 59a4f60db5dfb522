package report

import (
	"fmt"

	"github.com/partywall/partywall/bench/internal/stats"
)

// The limits that the judgement of the machine and the goals speak of.
const (
	SpinLimit   = "c-spin"
	FutexLimit  = "c-futex"
	MemcpyLimit = "c-memcpy"
)

// noisyFrom is how far a limit's rounds may lie apart, as a share of their median.
const noisyFrom = 0.25

// Noise says whether the machine's own limits kept still during the run. Where they did not, other programs or the
// hypervisor took part, and no figure of the run is worth much.
type Noise struct {
	Noisy   bool     `json:"noisy"`
	Unknown bool     `json:"unknown,omitempty"` // no limit was measured twice
	Spreads []Spread `json:"spreads,omitempty"`
}

// A Spread is how far the medians of a limit's rounds lie apart, as a share of their median.
type Spread struct {
	Limit  string  `json:"limit"`
	Size   int     `json:"size"`
	Spread float64 `json:"spread"`
}

// JudgeNoise looks at the limits that the report has: the C processes that spin, and copying.
func (r *Report) JudgeNoise() {
	n := Noise{Unknown: true}
	for _, s := range r.Series {
		if s.Contender != SpinLimit && s.Contender != MemcpyLimit || len(s.Rounds) < 2 {
			continue
		}
		n.Unknown = false
		medians := make([]float64, len(s.Rounds))
		for i, one := range s.Rounds {
			medians[i] = one.P50()
		}
		spread := stats.Spread(medians)
		n.Spreads = append(n.Spreads, Spread{s.Contender, s.Cell.Size, spread})
		n.Noisy = n.Noisy || spread > noisyFrom
	}
	r.Noise = n
}

// String is the line for people.
func (n Noise) String() string {
	switch {
	case n.Unknown:
		return "Whether this machine was quiet is not known: no limit of it was measured twice."
	case !n.Noisy:
		return "This machine was quiet: its own limits kept still."
	}
	worst := n.Spreads[0]
	for _, s := range n.Spreads {
		if s.Spread > worst.Spread {
			worst = s
		}
	}
	return fmt.Sprintf("This machine was NOISY: %s at %s varied by %.0f %% between rounds. Figures of this run are worth little.",
		worst.Limit, Bytes(worst.Size), 100*worst.Spread)
}
