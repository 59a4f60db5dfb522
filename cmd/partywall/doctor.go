package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/internal/doctor"
	"github.com/partywall/partywall/internal/wait"
)

func newDoctor() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out whether calls work here, and what slows or limits them",
		Long: `Try what calls need of this machine, and make one call. What limits calls, and
what packages to come will need, is looked at too. Each line says how it went:

  ok       nothing to do
  warning  calls work, but slower or fewer or smaller ones than they could
  failed   calls do not work
  unknown  it could not be found out, or was not tried

It looks with the eyes of whoever runs it: run it as the user, in the container and
with the limits and the environment of the program that is in trouble. What it
makes for its trials it removes again.

The exit status is 0 if calls work, warnings or not, and 1 if something failed.`,
		Example: `  partywall doctor
  partywall doctor --json
  PARTYWALL_DIR=/run/partywall partywall doctor`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd, asJSON) },
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// doctorReport is what doctor prints.
type doctorReport struct {
	Works     bool             `json:"works"`      // nothing failed
	StoppedBy []string         `json:"stopped_by"` // the ids of what failed; empty if calls work
	Verdict   string           `json:"verdict"`
	Program   versionReport    `json:"program"`
	Call      *callReport      `json:"call,omitempty"` // the call that was made
	Findings  []doctor.Finding `json:"findings"`
}

// callReport is how long a call took whose client and server were one process.
type callReport struct {
	DialNS int64 `json:"dial_ns"`
	CallNS int64 `json:"call_ns"` // the first on its conn
}

func runDoctor(cmd *cobra.Command, asJSON bool) error {
	ctx := cmd.Context()
	report := doctorReport{Program: versionOf(), Findings: doctor.Examine(ctx)}
	report.tryCall(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	report.judge()
	show := report.print
	if asJSON {
		show = func(w io.Writer) error { return printJSON(w, report) }
	}
	if err := show(cmd.OutOrStdout()); err != nil {
		return err
	}
	if !report.Works {
		return fmt.Errorf("doctor: %s failed", strings.Join(report.StoppedBy, ", "))
	}
	return nil
}

// failed returns the ids of what failed.
func (r *doctorReport) failed() []string {
	ids := []string{}
	for _, f := range r.Findings {
		if f.Status == doctor.Failed {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

func (r *doctorReport) judge() {
	r.StoppedBy = r.failed()
	r.Works = len(r.StoppedBy) == 0
	switch {
	case !r.Works:
		r.Verdict = "Calls do not work here, because of: " + strings.Join(r.StoppedBy, ", ") + "."
	case r.Call == nil:
		r.Verdict = "Calls should work here, but none was tried."
	default:
		r.Verdict = "Calls work here."
	}
}

// print prints a table with what to do below what is not well, in one write.
func (r *doctorReport) print(w io.Writer) error {
	const indent = "           "
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.Program)
	width := 0
	for _, f := range r.Findings {
		width = max(width, utf8.RuneCountInString(f.Title))
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%-7s  %-*s  %s\n", f.Status, width, f.Title, clean(f.Seen))
		if f.Means != "" { // what was not tried explains itself
			fmt.Fprintf(&b, "%s%s\n%sWhat to do: %s\n", indent, clean(f.Means), indent, clean(f.Advice))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.Verdict)
	_, err := io.WriteString(w, b.String())
	return err
}

// clean puts text with foreign parts, such as paths, into one line for a terminal.
func clean(text string) string { return oneLine(errors.New(text)) }

// doctorPatience is how long the call may take.
const doctorPatience = 10 * time.Second

// doctorNumber is what the call carries both ways.
type doctorNumber struct{ Number uint64 }

var doctorEcho = call.NewMethod[doctorNumber, doctorNumber]("echo")

// tryCall makes a call and adds a finding about it.
func (r *doctorReport) tryCall(ctx context.Context) {
	f := doctor.Finding{ID: "call", Title: "A call", Status: doctor.Unknown}
	if failed := r.failed(); len(failed) > 0 {
		f.Seen = "not tried, because of: " + strings.Join(failed, ", ")
		f.Advice = "Mend that first, then ask again."
		r.Findings = append(r.Findings, f)
		return
	}
	dir, err := os.MkdirTemp("", "partywall-doctor-")
	if err != nil {
		f.Seen = fmt.Sprintf("not tried: no directory for it: %v", err)
		f.Means = "Nothing else stands in the way of calls. The demo and the benchmark need a temporary directory too."
		f.Advice = "Set " + tempVariable + " to a directory that can be written to."
		r.Findings = append(r.Findings, f)
		return
	}
	defer removeDir(dir)
	if r.Call, err = callOnce(ctx, runDir(dir)); err != nil {
		f.Status = doctor.Failed
		f.Seen = err.Error()
		f.Means = "One call within one process went wrong, though all that it needs was there."
		f.Advice = "This should not be: please report it, with all of this output."
	} else {
		f.Status = doctor.OK
		f.Seen = fmt.Sprintf("dialled in %s, answered in %s: the first call of all, within one process",
			duration(r.Call.DialNS), duration(r.Call.CallNS))
	}
	r.Findings = append(r.Findings, f)
}

// callOnce listens, serves, dials and calls, in a run directory that nobody else has.
func callOnce(ctx context.Context, dir string) (_ *callReport, err error) {
	service := "partywall/doctor/" + strings.ToLower(rand.Text())
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	var refused atomic.Pointer[error] // what the server says, when the client is only told that it failed
	srv, err := call.Listen(service, call.Dir(dir), call.OnError(func(err error) { refused.Store(&err) }))
	if err != nil {
		return nil, err
	}
	doctorEcho.Handle(srv, func(_ context.Context, in *call.In[doctorNumber], out *call.Out[doctorNumber]) error {
		out.Result = in.Arg
		return nil
	})
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx) }()
	defer func() {
		cancel()
		if ended := <-served; err == nil {
			err = ended
		}
		if said := refused.Load(); err != nil && said != nil {
			err = fmt.Errorf("%w; the server says: %w", err, *said)
		}
	}()

	start := wait.Now() // on Windows the time package's clock is too coarse
	conn, err := call.Dial(ctx, service, call.Dir(dir), call.Expect(doctorEcho))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	dialled := wait.Now()
	sent := doctorNumber{uint64(time.Now().UnixNano())}
	got, err := doctorEcho.Call(ctx, conn, sent)
	if err != nil {
		return nil, err
	}
	report := &callReport{DialNS: (dialled - start).Nanoseconds(), CallNS: (wait.Now() - dialled).Nanoseconds()}
	if got != sent {
		return nil, fmt.Errorf("%d came back for %d", got.Number, sent.Number)
	}
	return report, nil
}
