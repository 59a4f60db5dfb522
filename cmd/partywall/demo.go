package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare"
)

// demoQuota lets the demo compare images as large as bodies can be.
const demoQuota = 4 << 30

// demoReport is what the demo prints.
type demoReport struct {
	ServerPID int      `json:"server_pid"`
	ClientPID int      `json:"client_pid"`
	Left      string   `json:"left,omitempty"`
	Right     string   `json:"right,omitempty"`
	Width     int      `json:"width"`
	Height    int      `json:"height"`
	MSE       float64  `json:"mse"`              // 8-bit levels, squared
	PSNR      *float64 `json:"psnr_db"`          // null: infinite, the images are equal
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

func newDemo() *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Have another process compare two images in shared memory",
		Long: `Start a server process, make two images, and have the server compare them: their
pixels, the figures and the image of the differences lie in memory that both
processes have mapped. Nothing is left behind.

"partywall demo compare" does the same with two files.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	cmd.Flags().IntVar(&d.width, "width", 1024, "width of the images, in pixels")
	cmd.Flags().IntVar(&d.height, "height", 768, "height of the images, in pixels")
	serve := newServe(compare.Handle, call.Quota(demoQuota))
	cmd.AddCommand(newDemoCompare(), serve)
	demoFlags(cmd, &d)
	return cmd
}

func newDemoCompare() *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:     "compare LEFT RIGHT",
		Short:   "The same with two PNG, JPEG or GIF files",
		Example: "  partywall demo compare before.png after.png -o difference.png",
		Args:    usageArgs(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.left, d.right = args[0], args[1]
			return d.run(cmd)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"png", "jpg", "jpeg", "gif"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	demoFlags(cmd, &d)
	return cmd
}

func demoFlags(cmd *cobra.Command, d *demo) {
	cmd.Flags().StringVarP(&d.output, "output", "o", "", "write the image of the differences to this PNG `file`")
	jsonFlag(cmd, &d.asJSON)
}

// demo is one run of the main job.
type demo struct {
	left, right   string // files, or empty for images that it makes
	width, height int
	output        string
	asJSON        bool

	report demoReport
	last   time.Time
}

// lap records a step that has just ended.
func (d *demo) lap(name string) {
	now := time.Now()
	d.report.Steps = append(d.report.Steps, step{name, now.Sub(d.last).Nanoseconds()})
	d.last = now
}

func (d *demo) run(cmd *cobra.Command) error {
	if d.left == "" && (d.width < 1 || d.height < 1) {
		return usagef(cmd, "images of %dx%d pixels; --width and --height must be at least 1", d.width, d.height)
	}
	d.last = time.Now()
	images, err := d.images()
	if err != nil {
		return err
	}
	server, err := startChild(cmd.Context(), "demo", "serve-child")
	if err != nil {
		return err
	}
	d.lap("start the server process")
	err = d.ask(cmd.Context(), server, images)
	if stopErr := server.stop(); err == nil {
		err = stopErr
	}
	if err != nil {
		return err
	}
	d.lap("stop the server process")
	if d.asJSON {
		return printJSON(cmd, d.report)
	}
	return d.print(cmd)
}

func (d *demo) images() (*compare.Images, error) {
	var images *compare.Images
	var err error
	if d.left == "" {
		images, err = compare.Sample(d.width, d.height)
		d.lap("make two images")
	} else {
		images, err = compare.Open(d.left, d.right)
		d.lap("decode two files")
	}
	return images, err
}

// ask connects, calls, and fills in the report.
func (d *demo) ask(ctx context.Context, server *child, images *compare.Images) error {
	conn, err := call.Dial(ctx, childService, call.Expect(compare.Compare))
	if err != nil {
		return err
	}
	defer conn.Close()
	d.lap("connect")
	start := time.Now()
	v, difference, err := images.Ask(ctx, conn, d.output != "")
	took := time.Since(start)
	if err != nil {
		return err
	}
	d.lap("call: compare")
	if difference != nil {
		if err := difference.WritePNG(d.output); err != nil {
			return err
		}
		d.lap("write " + d.output)
	}
	r := &d.report
	r.ServerPID, r.ClientPID = conn.Peer().PID, os.Getpid()
	if r.ServerPID != server.pid() {
		return errors.New("the answer came from another process than the one started")
	}
	r.Left, r.Right, r.Output = d.left, d.right, d.output
	r.Width, r.Height = images.Size()
	r.MSE, r.PSNR, r.SSIM = v.MSE, finite(v.PSNR), finite(v.SSIM)
	if r.Differing = v.Differing; v.Differing > 0 {
		r.Box = &box{v.MinX, v.MinY, v.MaxX - v.MinX, v.MaxY - v.MinY}
	}
	r.CallNS = took.Nanoseconds()
	return nil
}

// finite returns nil for what JSON has no number for.
func finite(f float64) *float64 {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	return &f
}

func (d *demo) print(cmd *cobra.Command) error {
	r := &d.report
	rows := [][2]string{
		{"server process", fmt.Sprint(r.ServerPID)},
		{"client process", fmt.Sprint(r.ClientPID)},
		{"images", fmt.Sprintf("%d x %d pixels", r.Width, r.Height)},
		{"MSE", fmt.Sprintf("%.4f", r.MSE)},
		{"PSNR", orElse(r.PSNR, "%.2f dB", "infinite: the images are equal")},
		{"SSIM", orElse(r.SSIM, "%.6f", "not defined below 11 x 11 pixels")},
		{"differing", fmt.Sprintf("%d pixels", r.Differing)},
	}
	if b := r.Box; b != nil {
		rows = append(rows, [2]string{"", fmt.Sprintf("in %d x %d at %d,%d", b.Width, b.Height, b.X, b.Y)})
	}
	rows = append(rows, [2]string{})
	for _, s := range r.Steps {
		rows = append(rows, [2]string{s.Name, milliseconds(s.NS)})
	}
	return printTable(cmd, rows)
}

func orElse(f *float64, format, otherwise string) string {
	if f == nil {
		return otherwise
	}
	return fmt.Sprintf(format, *f)
}

func milliseconds(ns int64) string { return fmt.Sprintf("%9.3f ms", float64(ns)/1e6) }
