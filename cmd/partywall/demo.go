package main

import (
	"context"
	"errors"
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
		Long: `Make two images, start a server process, and have it compare them: the pixels,
and the image of the differences if -o asks for it, lie in memory that both
processes have mapped. Nothing else is left behind.

"partywall demo compare" does the same with two files.`,
		Example: `  partywall demo
  partywall demo --width 4000 --height 3000 -o difference.png
  partywall demo --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	cmd.Flags().IntVar(&d.width, "width", 1024, "width of the images, in pixels")
	cmd.Flags().IntVar(&d.height, "height", 768, "height of the images, in pixels")
	cmd.AddCommand(newDemoCompare(), newServe(compare.Handle, call.Quota(compare.Quota)))
	demoFlags(cmd, &d)
	return cmd
}

func newDemoCompare() *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:   "compare LEFT RIGHT",
		Short: "The same with two PNG, JPEG or GIF files",
		Long: `Have a server process compare two PNG, JPEG or GIF files of the same size, and
print how they differ:

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
	report   demoReport
}

// step does one part of the work, with its name on the terminal if it takes long,
// and records how long it took.
func (d *demo) step(name string, do func() error) error {
	start := time.Now()
	end := d.progress.during(func(time.Duration) string { return name + " ..." })
	err := do()
	end()
	d.report.Steps = append(d.report.Steps, step{name, time.Since(start).Nanoseconds()})
	return err
}

func (d *demo) run(cmd *cobra.Command) error {
	if err := d.check(cmd); err != nil {
		return err
	}
	d.progress = newProgress()
	images, err := d.images(cmd.Context())
	if err != nil {
		return err
	}
	var server *child
	start := func() (err error) {
		server, err = startChild(cmd.Context(), "demo", "serve-child")
		return err
	}
	if err := d.step("start the server process", start); err != nil {
		return err
	}
	err = d.ask(cmd.Context(), server, images)
	stop := func() error { return server.stop(err) }
	if err := d.step("stop the server process", stop); err != nil {
		return err
	}
	if d.asJSON {
		return printJSON(cmd.OutOrStdout(), d.report)
	}
	return printTable(cmd.OutOrStdout(), d.report.table())
}

// check finds out what cannot go well, before anything takes time.
func (d *demo) check(cmd *cobra.Command) error {
	if d.left == "" {
		if d.width < 1 || d.height < 1 {
			return usagef(cmd, "images of %d x %d pixels; --width and --height must be at least 1", d.width, d.height)
		}
		if err := compare.CheckSample(d.width, d.height); err != nil {
			return usagef(cmd, "--width %d --height %d: %w", d.width, d.height, err)
		}
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

// images makes or reads them. When the context ends, that is left alone: it uses
// nothing but memory.
func (d *demo) images(ctx context.Context) (images *compare.Images, err error) {
	name, get := "make two images", func() (*compare.Images, error) { return compare.Sample(d.width, d.height) }
	if d.left != "" {
		name, get = "decode two files", func() (*compare.Images, error) { return compare.Open(d.left, d.right) }
	}
	got := make(chan error, 1)
	var result *compare.Images
	go func() {
		var err error
		result, err = get()
		got <- err
	}()
	err = d.step(name, func() error {
		select {
		case err := <-got:
			images = result
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return images, err
}

// ask connects, calls, and fills in the report.
func (d *demo) ask(ctx context.Context, server *child, images *compare.Images) error {
	var conn *call.Conn
	err := d.step("connect", func() (err error) {
		conn, err = call.Dial(ctx, childService, call.Expect(compare.Compare))
		return err
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	if conn.Peer().PID != server.pid() {
		return errors.New("another process than the one started serves")
	}
	var verdict compare.Verdict
	var difference *compare.Difference
	err = d.step("call: compare", func() (err error) {
		start := time.Now()
		verdict, difference, err = images.Ask(ctx, conn, d.output != "")
		d.report.CallNS = time.Since(start).Nanoseconds()
		return err
	})
	if err == nil && difference != nil {
		err = d.step("write the difference", func() error { return difference.WritePNG(ctx, d.output) })
	}
	r := &d.report
	r.ServerPID, r.ClientPID = conn.Peer().PID, os.Getpid()
	r.Left, r.Right, r.Output = d.left, d.right, d.output
	r.Width, r.Height = images.Size()
	r.judge(verdict)
	return err
}
