package chart

import (
	"slices"

	"gonum.org/v1/plot"

	"github.com/partywall/partywall/bench/internal/report"
)

// timeTicks mark the powers of ten between two times in nanoseconds.
type timeTicks struct{}

func (timeTicks) Ticks(low, high float64) []plot.Tick { return powers(low, high, report.Duration) }

// countTicks mark powers of ten.
type countTicks struct{}

func (countTicks) Ticks(low, high float64) []plot.Tick { return powers(low, high, report.Grouped) }

func powers(low, high float64, label func(float64) string) (ticks []plot.Tick) {
	for x := 1.0; x <= 10*high; x *= 10 {
		for n := 1.0; n < 10; n++ {
			if v := n * x; low <= v && v <= high {
				t := plot.Tick{Value: v}
				if n == 1 {
					t.Label = label(v)
				}
				ticks = append(ticks, t)
			}
		}
	}
	if !slices.ContainsFunc(ticks, plot.Tick.IsMinor) || len(ticks) < 2 {
		return append(ticks, plot.Tick{Value: low, Label: label(low)}, plot.Tick{Value: high, Label: label(high)})
	}
	return ticks
}

// sizeTicks mark the sizes that were measured.
func sizeTicks(lines []*line) plot.ConstantTicks {
	return each(lines, func(x float64) string { return report.Bytes(int(x)) })
}

// numberTicks mark the numbers that were measured.
func numberTicks(lines []*line) plot.ConstantTicks { return each(lines, report.Grouped) }

func each(lines []*line, label func(float64) string) (ticks plot.ConstantTicks) {
	for _, l := range lines {
		for _, p := range l.points {
			if !slices.ContainsFunc(ticks, func(t plot.Tick) bool { return t.Value == p.X }) {
				ticks = append(ticks, plot.Tick{Value: p.X, Label: label(p.X)})
			}
		}
	}
	return ticks
}

// shareTicks mark shares of calls at 1/(1-share).
var shareTicks = plot.ConstantTicks{
	{Value: 2, Label: "50 %"}, {Value: 10, Label: "90 %"}, {Value: 100, Label: "99 %"},
	{Value: 1000, Label: "99.9 %"}, {Value: 10_000, Label: "99.99 %"},
}
