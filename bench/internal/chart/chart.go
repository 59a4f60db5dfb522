// Package chart draws a report: four SVG files.
package chart

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/partywall/partywall/bench/internal/report"
)

// charts are the files, and what draws them. A chart whose report has nothing for it is left out.
var charts = []struct {
	file string
	draw func(*report.Report) (*plot.Plot, error)
}{
	{"latency-by-size.svg", latencyBySize},
	{"latency-distribution.svg", distribution},
	{"calls-by-goroutines.svg", callsByGoroutines},
	{"cpu-at-a-rate.svg", cpuAtRate},
}

const (
	width, height = 25 * vg.Centimeter, 13 * vg.Centimeter
	legendWidth   = 5 * vg.Centimeter   // on the right
	captionHeight = 1.2 * vg.Centimeter // below
)

// Write draws the report's charts into dir, which is made if it is missing, and returns the files.
func Write(r *report.Report, dir string) (files []string, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	for _, c := range charts {
		p, err := c.draw(r)
		if err != nil {
			return files, fmt.Errorf("%s: %w", c.file, err)
		}
		if p == nil {
			continue
		}
		file := filepath.Join(dir, c.file)
		if err := save(p, caption(r), file); err != nil {
			return files, fmt.Errorf("%s: %w", file, err)
		}
		files = append(files, file)
	}
	return files, nil
}

// save draws the plot, its legend beside it and the caption below.
func save(p *plot.Plot, caption []string, file string) (err error) {
	svg := vgsvg.New(width, height)
	all := draw.New(svg)
	all.SetColor(color.White)
	all.Fill(all.Rectangle.Path())
	legend := p.Legend
	p.Legend = plot.NewLegend()
	margin := vg.Points(8)
	p.Draw(draw.Crop(all, margin, -legendWidth, captionHeight, -margin))
	legend.Draw(draw.Crop(all, width-legendWidth+margin, 0, captionHeight, -3*margin))
	style := legend.TextStyle
	style.XAlign, style.YAlign, style.Font.Size, style.Color = draw.XLeft, draw.YTop, vg.Points(8), color.Gray{0x60}
	for i, line := range caption {
		all.FillText(style, vg.Point{X: margin, Y: captionHeight - vg.Points(float64(11*i+3))}, line)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = svg.WriteTo(f)
	return errors.Join(err, f.Close())
}

// caption says where and when it was measured, and with what versions.
func caption(r *report.Report) []string {
	var versions []string
	for _, v := range []struct{ name, key string }{
		{"partywall", "partywall"}, {"gRPC", "google.golang.org/grpc"}, {"NATS", "github.com/nats-io/nats-server/v2"}, {"ZeroMQ", "libzmq"}, {"nng", "libnng"}, {"C compiler", "cc"},
	} {
		if is := r.Versions[v.key]; is != "" {
			versions = append(versions, v.name+" "+strings.TrimPrefix(is, "v"))
		}
	}
	return []string{
		r.Date.UTC().Format(time.DateOnly) + "; " + r.Where(),
		fmt.Sprintf("medians of %d rounds; %s", r.Settings.Rounds, strings.Join(versions, ", ")),
	}
}

func newPlot(r *report.Report, title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	if r.Noise.Noisy {
		p.Title.Text += " (on a noisy machine)"
	}
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding = vg.Points(5)
	p.Legend.TextStyle.Font.Size = vg.Points(10)
	p.Add(plotter.NewGrid())
	p.BackgroundColor = color.White
	return p
}

// palette has a colour for each contender, told apart also by those who see fewer colours: Okabe and Ito,
// "Color Universal Design", 2008.
var palette = []color.Color{
	color.RGBA{0xd5, 0x5e, 0x00, 0xff}, color.RGBA{0xe6, 0x9f, 0x00, 0xff}, color.RGBA{0x00, 0x72, 0xb2, 0xff},
	color.RGBA{0x56, 0xb4, 0xe9, 0xff}, color.RGBA{0x00, 0x9e, 0x73, 0xff}, color.RGBA{0xcc, 0x79, 0xa7, 0xff},
	color.RGBA{0x99, 0x99, 0x99, 0xff}, color.RGBA{0x00, 0x00, 0x00, 0xff},
}

// A line is one contender's.
type line struct {
	title  string
	points plotter.XYs
}

// contenders collects a line for each contender from the series that point accepts.
func contenders(r *report.Report, points func(report.Series) plotter.XYs) (lines []*line) {
	byTitle := map[string]*line{}
	for _, s := range r.Series {
		xys := points(s)
		if len(xys) == 0 {
			continue
		}
		l := byTitle[s.Title]
		if l == nil {
			l = &line{title: s.Title}
			byTitle[s.Title] = l
			lines = append(lines, l)
		}
		l.points = append(l.points, xys...)
	}
	return lines
}

// addLogarithmic draws the lines between logarithmic axes, each in a colour, dashes and marks of its own.
func addLogarithmic(p *plot.Plot, lines []*line) error {
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	marks := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.PyramidGlyph{}, draw.CrossGlyph{}}
	for i, one := range lines {
		l, points, err := plotter.NewLinePoints(one.points)
		if err != nil {
			return err
		}
		l.Color = palette[i%len(palette)]
		l.Width = vg.Points(1.5)
		if i >= len(palette) {
			l.Dashes = []vg.Length{vg.Points(5), vg.Points(3)}
		}
		points.Color, points.Shape, points.Radius = l.Color, marks[i%len(marks)], vg.Points(2.5)
		p.Add(l, points)
		p.Legend.Add(one.title, l, points)
	}
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		if axis.Min == axis.Max { // or the axis would be extended by one on each side, perhaps to zero
			axis.Min, axis.Max = axis.Min/2, axis.Max*2
		}
	}
	return nil
}

func latencyBySize(r *report.Report) (*plot.Plot, error) {
	lines := contenders(r, func(s report.Series) plotter.XYs {
		if s.Cell.Goroutines != 1 || s.Cell.Rate != 0 || s.Cell.Deadline {
			return nil
		}
		return plotter.XYs{{X: float64(s.Cell.Size), Y: positive(s.Median.At(0.5))}}
	})
	if len(lines) == 0 {
		return nil, nil
	}
	p := newPlot(r, "Latency of a call by size, 1 goroutine, p50", "bytes of the request, and of the answer", "latency")
	p.X.Tick.Marker, p.Y.Tick.Marker = sizeTicks(lines), timeTicks{}
	return p, addLogarithmic(p, lines)
}

// distribution has 1/(1-q) on its axis, so that p99 lies as far from p90 as p99.9 from p99.
func distribution(r *report.Report) (*plot.Plot, error) {
	var cell report.Cell
	for _, c := range r.Cells() {
		if c.Goroutines == 1 && c.Rate == 0 && !c.Deadline && (cell.Size == 0 || c.Size < cell.Size) {
			cell = c
		}
	}
	lines := contenders(r, func(s report.Series) (xys plotter.XYs) {
		if s.Cell != cell {
			return nil
		}
		for _, q := range s.Median.Quantiles {
			if q.Q < 1 {
				xys = append(xys, plotter.XY{X: 1 / (1 - q.Q), Y: positive(float64(q.NS))})
			}
		}
		return xys
	})
	if len(lines) == 0 {
		return nil, nil
	}
	p := newPlot(r, fmt.Sprintf("Latency of a call, %v: share of the calls that took no longer", cell), "share of calls", "latency")
	p.X.Tick.Marker, p.Y.Tick.Marker = shareTicks, timeTicks{}
	return p, addLogarithmic(p, lines)
}

func callsByGoroutines(r *report.Report) (*plot.Plot, error) {
	size := math.MaxInt
	for _, s := range r.Series {
		if s.Cell.Goroutines > 1 {
			size = min(size, s.Cell.Size)
		}
	}
	lines := contenders(r, func(s report.Series) plotter.XYs {
		if s.Cell.Size != size || s.Cell.Rate != 0 || s.Cell.Deadline {
			return nil
		}
		return plotter.XYs{{X: float64(s.Cell.Goroutines), Y: positive(s.Median.PerSecond)}}
	})
	if len(lines) == 0 {
		return nil, nil
	}
	p := newPlot(r, "Calls per second by goroutines, "+report.Bytes(size), "goroutines that call through one conn", "calls/s")
	p.X.Tick.Marker, p.Y.Tick.Marker = numberTicks(lines), countTicks{}
	return p, addLogarithmic(p, lines)
}

// positive keeps a value off the zero that a logarithmic axis does not have.
func positive(x float64) float64 { return max(x, 1) }
