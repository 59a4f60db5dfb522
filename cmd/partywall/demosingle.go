package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/instance"
)

// singleArguments are what the processes of the demo are started with: arguments that get lost on the
// way where somebody joins them to a command line and takes that apart again.
var singleArguments = [][]string{
	{"two words.txt"},
	{`say "hi"`, "", "100 %"},
	{"a|b", `C:\new\`, "--", "-x"},
	{"größe", "文件", "😀"},
}

func newDemoSingle() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "single",
		Short: "Start a program several times, and have one instance get all arguments",
		Long: `Start four processes at once that all want to be the one that runs. One of them is: the
others hand over their arguments, are told that the first has them, and end. Arguments with
blanks, quotes and other letters arrive as they were. Nothing is left behind.

docs/SINGLE.md tells how a program of yours does that.`,
		Example: `  partywall demo single
  partywall demo single --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return demoSingle(cmd, asJSON) },
	}
	jsonFlag(cmd, &asJSON)
	cmd.AddCommand(newLaunchChild())
	return cmd
}

// singleReport is what demo single prints.
type singleReport struct {
	FirstPID   int              `json:"first_pid"`
	FirstArgs  []string         `json:"first_args"`
	HandedOver []singleHandover `json:"handed_over"`
	WholeNS    int64            `json:"whole_ns"` // from the first start to the last hand-over
}

type singleHandover struct {
	PID  int      `json:"pid"` // of the process that ends, by the kernel's word
	Args []string `json:"args"`
}

// singleLine is what a process of the demo says: how its start came out, or what it was handed.
type singleLine struct {
	First  bool            `json:"first,omitempty"`
	Taken  int             `json:"taken,omitempty"` // the process that has its arguments
	Launch *singleHandover `json:"launch,omitempty"`
}

func demoSingle(cmd *cobra.Command, asJSON bool) (err error) {
	dir, err := privateDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeDir(dir)) }()
	ctx, cancel := context.WithTimeout(cmd.Context(), demoPatience)
	defer cancel()
	report, err := runSingle(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), report)
	}
	return printTable(cmd.OutOrStdout(), report.table())
}

// runSingle starts the processes, listens to what they say, and ends them.
func runSingle(ctx context.Context) (report *singleReport, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	lines := make(chan singleSaid)
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	defer func() {
		cancel()
		reading.Wait()
	}()
	began := time.Now()
	var children []*child
	for i, args := range singleArguments {
		c, out, err := begin(exec.Command(program, append([]string{"demo", "single", "launch-child", "--"}, args...)...))
		if err != nil {
			return nil, err
		}
		children = append(children, c)
		defer func() { err = c.stop(err) }()
		reading.Go(func() { readSingle(ctx, i, out, lines) })
	}
	report = &singleReport{}
	known := map[int]bool{} // whose start has come out somehow
	for len(known) < len(children) || len(report.HandedOver) < len(children)-1 {
		var s singleSaid
		select {
		case s = <-lines:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		c := children[s.from]
		switch {
		case errors.Is(s.err, io.EOF) && known[s.from] && c.pid() != report.FirstPID: // as it should
		case errors.Is(s.err, io.EOF):
			if err := c.stop(nil); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("process %d has ended too soon", c.pid())
		case s.err != nil:
			return nil, s.err
		case s.line.Launch != nil:
			report.HandedOver = append(report.HandedOver, *s.line.Launch)
		case s.line.First && report.FirstPID != 0:
			return nil, fmt.Errorf("processes %d and %d are both the first", report.FirstPID, c.pid())
		default:
			known[s.from] = true
			if s.line.First {
				report.FirstPID, report.FirstArgs = c.pid(), singleArguments[s.from]
			}
		}
	}
	report.WholeNS = time.Since(began).Nanoseconds()
	slices.SortFunc(report.HandedOver, func(a, b singleHandover) int { return a.PID - b.PID })
	return report, report.check(children)
}

// singleSaid is a line of the process that has that place, or why there are no more.
type singleSaid struct {
	from int
	line singleLine
	err  error
}

// readSingle passes on what a process says, until it ends.
func readSingle(ctx context.Context, from int, out io.Reader, lines chan<- singleSaid) {
	pass := func(s singleSaid) {
		select {
		case lines <- s:
		case <-ctx.Done(): // nobody listens, but it is read on, so that the process does not wait
		}
	}
	for in := bufio.NewScanner(out); in.Scan(); {
		s := singleSaid{from: from}
		s.err = json.Unmarshal(in.Bytes(), &s.line)
		pass(s)
	}
	pass(singleSaid{from: from, err: io.EOF})
}

// check compares what has arrived with what the processes were started with.
func (r *singleReport) check(children []*child) error {
	want := map[int][]string{}
	for i, c := range children {
		if c.pid() != r.FirstPID {
			want[c.pid()] = singleArguments[i]
		}
	}
	for _, h := range r.HandedOver {
		if !slices.Equal(h.Args, want[h.PID]) {
			return fmt.Errorf("process %d was started with %q, and %q has arrived", h.PID, want[h.PID], h.Args)
		}
		delete(want, h.PID)
	}
	return nil
}

func (r *singleReport) table() []row {
	rows := []row{{"first", fmt.Sprintf("process %d, with %s", r.FirstPID, quoted(r.FirstArgs))}}
	for _, h := range r.HandedOver {
		rows = append(rows, row{"handed over", fmt.Sprintf("by process %d: %s", h.PID, quoted(h.Args))})
	}
	return append(rows, row{}, row{"all of it", milliseconds(r.WholeNS)})
}

func quoted(args []string) string {
	var list []string
	for _, a := range args {
		list = append(list, fmt.Sprintf("%q", a))
	}
	return strings.Join(list, " ")
}

// newLaunchChild returns the hidden command that is one of the processes.
func newLaunchChild() *cobra.Command {
	return &cobra.Command{
		Use:    "launch-child [ARGUMENT...]",
		Short:  "Be one of the processes, until standard input ends",
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			signal.Ignore(os.Interrupt, syscall.SIGHUP) // as who has started it ends this
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			go func() {
				_, _ = io.Copy(io.Discard, cmd.InOrStdin())
				cancel()
			}()
			return beLaunched(ctx, args, json.NewEncoder(cmd.OutOrStdout()))
		},
	}
}

func beLaunched(ctx context.Context, args []string, out *json.Encoder) error {
	inst, err := instance.Acquire(ctx, "demo/single", instance.Args(args...))
	if running := (*instance.RunningError)(nil); errors.Is(err, partywall.ErrRunning) && errors.As(err, &running) {
		return out.Encode(singleLine{Taken: running.First.PID})
	}
	if err != nil {
		return err
	}
	defer inst.Close()
	if err := out.Encode(singleLine{First: true}); err != nil {
		return err
	}
	for l, err := range inst.Launches(ctx) {
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = out.Encode(singleLine{Launch: &singleHandover{l.From.PID, l.Args}})
		}
		if err != nil {
			return err
		}
	}
	return nil
}
