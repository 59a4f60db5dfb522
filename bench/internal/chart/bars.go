package chart

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/partywall/partywall/bench/internal/report"
)

// cpuAtRate has a group of bars for each contender, and in it a bar for each rate.
func cpuAtRate(r *report.Report) (*plot.Plot, error) {
	var rates []float64
	for _, c := range r.Cells() {
		if c.Rate > 0 {
			rates = append(rates, c.Rate)
		}
	}
	var titles []string
	values := map[float64]plotter.Values{}
	for _, s := range r.Series {
		if s.Cell.Rate == 0 {
			continue
		}
		if len(rates) > 0 && s.Cell.Rate == rates[0] {
			titles = append(titles, s.Title)
		}
		values[s.Cell.Rate] = append(values[s.Cell.Rate], 100*(s.Median.ClientCPU+s.Median.ServerCPU))
	}
	if len(titles) == 0 {
		return nil, nil
	}
	p := newPlot(r, "Processor time of both sides at a rate, 64 B, 1 goroutine", "", "% of one processor")
	const bar = 14
	for i, rate := range rates {
		b, err := plotter.NewBarChart(values[rate], vg.Points(bar))
		if err != nil {
			return nil, err
		}
		b.Color, b.LineStyle.Color = palette[(2*i)%len(palette)], color.Transparent
		b.Offset = vg.Points(bar * (float64(i) - float64(len(rates)-1)/2))
		p.Add(b)
		p.Legend.Add(fmt.Sprintf("%s calls/s", report.Grouped(rate)), b)
	}
	p.NominalX(titles...)
	p.X.Tick.Label.Font.Size = vg.Points(9)
	p.X.Tick.Label.Rotation, p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = 0.5, draw.XRight, draw.YTop
	p.X.Min, p.X.Max = -0.5, float64(len(titles))-0.5
	p.Y.Min = 0
	return p, nil
}
