package main

import (
	"fmt"
	"math"

	"github.com/partywall/partywall/examples/compare"
)

// demoReport is what the demo prints.
type demoReport struct {
	ServerPID int      `json:"server_pid"`
	ClientPID int      `json:"client_pid"`
	Left      string   `json:"left,omitempty"`
	Right     string   `json:"right,omitempty"`
	Width     int      `json:"width"`
	Height    int      `json:"height"`
	MSE       float64  `json:"mse"`              // 8-bit levels, squared
	PSNR      *float64 `json:"psnr_db"`          // null: infinite, no visible difference
	SSIM      *float64 `json:"ssim"`             // null: an image is smaller than 11x11
	Differing uint64   `json:"differing_pixels"` // and the box around them
	Box       *box     `json:"differing_box,omitempty"`
	Output    string   `json:"difference_image,omitempty"`
	CallNS    int64    `json:"call_ns"` // the call alone, the first on its conn
	Steps     []step   `json:"steps"`
}

type box struct {
	X      uint32 `json:"x"`
	Y      uint32 `json:"y"`
	Width  uint32 `json:"width"`
	Height uint32 `json:"height"`
}

type step struct {
	Name string `json:"name"`
	NS   int64  `json:"ns"`
}

func (r *demoReport) judge(v compare.Verdict) {
	r.MSE, r.PSNR, r.SSIM = v.MSE, finite(v.PSNR), finite(v.SSIM)
	if r.Differing = v.Differing; v.Differing > 0 {
		r.Box = &box{v.MinX, v.MinY, v.MaxX - v.MinX, v.MaxY - v.MinY}
	}
}

// finite returns nil for what JSON has no number for.
func finite(f float64) *float64 {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	return &f
}

func (r *demoReport) table() []row {
	var rows []row
	if r.Left != "" {
		rows = append(rows, row{"left", r.Left}, row{"right", r.Right})
	}
	rows = append(rows,
		row{"images", fmt.Sprintf("%d x %d pixels", r.Width, r.Height)},
		row{"differing", r.differing()},
		row{"MSE", fmt.Sprintf("%.4f", r.MSE)},
		row{"PSNR", r.psnr()},
		row{"SSIM", orElse(r.SSIM, "%.6f", "not defined below 11 x 11 pixels")},
	)
	if r.Output != "" {
		rows = append(rows, row{"difference", r.Output})
	}
	rows = append(rows,
		row{},
		row{"client", fmt.Sprintf("process %d", r.ClientPID)},
		row{"server", fmt.Sprintf("process %d", r.ServerPID)},
		row{},
	)
	for _, s := range r.Steps {
		rows = append(rows, row{s.Name, milliseconds(s.NS)})
	}
	return rows
}

func (r *demoReport) differing() string {
	if r.Box == nil {
		return "no pixels"
	}
	share := "under 0.01 %"
	if percent := 100 * float64(r.Differing) / (float64(r.Width) * float64(r.Height)); percent >= 0.01 {
		share = fmt.Sprintf("%.2f %%", percent)
	}
	b := r.Box
	return fmt.Sprintf("%s pixels (%s), in %d x %d at %d,%d", grouped(r.Differing), share, b.Width, b.Height, b.X, b.Y)
}

func (r *demoReport) psnr() string {
	if r.Differing == 0 {
		return "infinite: the images are equal"
	}
	return orElse(r.PSNR, "%.2f dB", "infinite: no difference is seen over black")
}

func orElse(f *float64, format, otherwise string) string {
	if f == nil {
		return otherwise
	}
	return fmt.Sprintf(format, *f)
}
