package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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

// Noise says whether the machine's own limits kept still during the run, for each size of a message. Where they did not, other
// programs or the hypervisor took part, and no figure of that size is worth much.
type Noise struct {
	Noisy   bool     `json:"noisy"`             // for some size
	Unknown bool     `json:"unknown,omitempty"` // no limit was measured twice
	Spreads []Spread `json:"spreads,omitempty"`
}

// At reports whether the machine was noisy for messages of a size.
func (n Noise) At(size int) bool {
	return slices.ContainsFunc(n.Spreads, func(s Spread) bool { return s.Size == size && s.noisy() })
}

// A Spread is how far the medians of a limit's rounds lie apart, as a share of their median.
type Spread struct {
	Limit  string  `json:"limit"`
	Size   int     `json:"size"`
	Spread float64 `json:"spread"`
}

func (s Spread) noisy() bool { return s.Spread > noisyFrom }

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
		spread := Spread{s.Contender, s.Cell.Size, stats.Spread(medians)}
		n.Spreads = append(n.Spreads, spread)
		n.Noisy = n.Noisy || spread.noisy()
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
	worst := slices.MaxFunc(n.Spreads, func(a, b Spread) int { return cmp.Compare(a.Spread, b.Spread) })
	var noisy, still []string
	for _, s := range n.Spreads {
		to, size := &still, Bytes(s.Size)
		if n.At(s.Size) {
			to = &noisy
		}
		if !slices.Contains(*to, size) {
			*to = append(*to, size)
		}
	}
	said := fmt.Sprintf("This machine was NOISY for messages of %s: %s at %s varied by %.0f %% between rounds. Figures of these sizes are worth little.",
		strings.Join(noisy, ", "), worst.Limit, Bytes(worst.Size), 100*worst.Spread)
	if len(still) > 0 {
		said += fmt.Sprintf(" Its limits for %s kept still.", strings.Join(still, ", "))
	}
	return said
}
