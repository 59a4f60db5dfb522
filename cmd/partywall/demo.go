package main

import (
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare"
)

func newDemo() *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Have another process compare two images in shared memory",
		Long: `Make two images, and have another process, started for this, compare them. They
are made in memory that both processes have mapped. The server process reads them
where they lie and, if -o asks for the image of the differences, paints it behind
them; this process encodes the file from there. No pixel is copied from one
process to the other. Nothing but that file is left behind.

What each step took stands below the figures; "call: pixels" is the call itself.

"partywall demo compare" does the same with two files.`,
		Example: `  partywall demo
  partywall demo --width 4000 --height 3000 -o difference.png
  partywall demo --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	cmd.Flags().IntVar(&d.width, "width", 1024, "width of the images, in pixels")
	cmd.Flags().IntVar(&d.height, "height", 768, "height of the images, in pixels")
	cmd.AddCommand(newDemoCompare(), newDemoSections(), newDemoSingle(), newServe(compare.Handle, call.Quota(compare.Quota)))
	demoFlags(cmd, &d)
	return cmd
}

func newDemoCompare() *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:   "compare LEFT RIGHT",
		Short: "The same with two PNG, JPEG or GIF files",
		Long: `Have a server process compare two PNG, JPEG or GIF files of the same size, and
print how they differ. This process reads and decodes the files. A decoder works
in memory of its own; the pixels go from there straight into memory that both
processes have mapped, and stay there: see "partywall demo --help".

  differing  pixels that look different, and the smallest box around them
  MSE        mean squared error of red, green and blue, in 8-bit levels
  PSNR       peak signal-to-noise ratio, as ImageMagick's compare prints it
  SSIM       structural similarity: 1 for equal images

In the image that -o writes, pixels that differ are red and the others are the
left image in light grey. It replaces a file of that name, but never LEFT or
RIGHT. The exit status is 0 whether the images differ or not.`,
		Example: `  partywall demo compare before.png after.png
  partywall demo compare before.png after.jpg -o difference.png --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef(cmd, "two files are needed, LEFT and RIGHT; %d given", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			d.left, d.right = args[0], args[1]
			return d.run(cmd)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) >= 2 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return []string{"png", "jpg", "jpeg", "gif"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	demoFlags(cmd, &d)
	return cmd
}

func demoFlags(cmd *cobra.Command, d *demo) {
	cmd.Flags().StringVarP(&d.output, "output", "o", "", "write the image of the differences to this PNG `file`")
	if err := cmd.MarkFlagFilename("output", "png"); err != nil {
		panic(err) // there is no such flag
	}
	jsonFlag(cmd, &d.asJSON)
}

// demo is one run of the main job.
type demo struct {
	left, right   string // files, or empty for images that it makes
	width, height int
	output        string
	asJSON        bool

	progress progress
	began    time.Time // the last step
	wipe     func()    // ends what the terminal shows of it; nil if no step is going on
	report   demoReport
}

// begin ends the step before and begins one, with its name on the terminal if it takes
// long.
func (d *demo) begin(name string) {
	d.end()
	d.report.Steps = append(d.report.Steps, step{Name: name})
	d.wipe = d.progress.during(func(time.Duration) string { return name + " ..." })
	d.began = time.Now()
}

// end ends the last step.
func (d *demo) end() {
	if d.wipe == nil {
		return
	}
	d.report.Steps[len(d.report.Steps)-1].NS = time.Since(d.began).Nanoseconds()
	d.wipe()
	d.wipe = nil
}

func (d *demo) run(cmd *cobra.Command) error {
	if err := d.check(cmd); err != nil {
		return err
	}
	d.progress = newProgress()
	defer d.end()
	source, err := d.source(cmd)
	if err != nil {
		return err
	}
	defer source.Close()
	d.begin("start the server process")
	server, err := startChild(cmd.Context(), "demo", "serve-child")
	if err != nil {
		return err
	}
	err = d.ask(cmd.Context(), server, source)
	d.begin("stop the server process")
	if err := server.stop(err); err != nil {
		return err
	}
	d.end()
	if d.asJSON {
		return printJSON(cmd.OutOrStdout(), d.report)
	}
	return printTable(cmd.OutOrStdout(), d.report.table())
}

// check finds out what cannot go well, before anything takes time.
func (d *demo) check(cmd *cobra.Command) error {
	if d.left == "" && (d.width < 1 || d.height < 1) {
		return usagef(cmd, "images of %d x %d pixels; --width and --height must be at least 1", d.width, d.height)
	}
	if d.output == "" {
		if cmd.Flags().Changed("output") {
			return usagef(cmd, "--output needs the name of a file")
		}
		return nil
	}
	output, err := os.Stat(d.output)
	if err != nil {
		_, err := os.Stat(filepath.Dir(d.output)) // it will be a new file, if it can
		return err
	}
	for _, input := range []string{d.left, d.right} {
		if info, err := os.Stat(input); input != "" && err == nil && os.SameFile(info, output) {
			return usagef(cmd, "--output %s would overwrite %s; name another file", d.output, input)
		}
	}
	return nil
}

// source finds out how large the images are.
func (d *demo) source(cmd *cobra.Command) (*compare.Source, error) {
	if d.left == "" {
		source, err := compare.Sample(d.width, d.height)
		if err == nil {
			err = source.Fits(d.output != "")
		}
		if err != nil {
			return nil, usagef(cmd, "--width %d --height %d: %w", d.width, d.height, err)
		}
		return source, nil
	}
	d.begin("read two headers")
	source, err := compare.Open(d.left, d.right)
	if err != nil {
		return nil, err
	}
	if err := source.Fits(d.output != ""); err != nil {
		source.Close()
		return nil, err
	}
	return source, nil
}

// ask connects, has the images compared, and fills in the report.
func (d *demo) ask(ctx context.Context, server *child, source *compare.Source) error {
	d.begin("connect")
	conn, err := call.Dial(ctx, childService, call.Expect(compare.ComparePixels), call.Intercept(d.timed))
	if err != nil {
		return err
	}
	defer func() {
		d.begin("disconnect")
		conn.Close()
	}()
	if conn.Peer().PID != server.pid() {
		return errors.New("another process than the one started serves")
	}
	options := compare.Options{Step: d.begin}
	if d.output != "" {
		options.Difference = func(m *image.NRGBA) error {
			d.begin("write the difference")
			return compare.WritePNG(ctx, d.output, m)
		}
	}
	verdict, err := compare.Ask(ctx, conn, source, options)
	r := &d.report
	r.ServerPID, r.ClientPID = conn.Peer().PID, os.Getpid()
	r.Left, r.Right, r.Output = d.left, d.right, d.output
	r.Width, r.Height = source.Size()
	r.judge(verdict)
	return err
}

// timed is an interceptor that measures the call alone.
func (d *demo) timed(ctx context.Context, _ *call.Info, next func(context.Context) error) error {
	start := time.Now()
	err := next(ctx)
	d.report.CallNS = time.Since(start).Nanoseconds()
	return err
}
