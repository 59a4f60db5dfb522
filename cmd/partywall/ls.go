package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os/user"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/call"
)

func newLs() *cobra.Command {
	var methods, asJSON bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the services that are alive",
		Long: `List the services of this user that are alive, and how they are used. Each is
asked, and has two seconds to answer: one that is stopped, or speaks another version
of the protocol, is listed with what went wrong.

  UP         since it took its name
  CONNS      clients now, without this command
  CALLS      since it started; those in flight are among them
  ERRORS     calls whose handler returned an error or panicked
  IN FLIGHT  handlers that run now
  P50, P99   how long its handlers took at most, for one in two and for 99 of 100
             calls; a quarter more than the truth at worst, and without the way
             between the processes

With --methods, each method has a line too: what it takes and returns, and how it is
used. With --json they are always there, with the distributions of their times.

Without any service it says so on standard error, and --json has an empty list. The
exit status is 0 then too.`,
		Example: `  partywall ls
  partywall ls -l
  partywall ls --json | jq -r '.services[] | select(.calls > 1000).service'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return list(cmd, methods, asJSON) },
	}
	cmd.Flags().BoolVarP(&methods, "methods", "l", false, "also list the methods of each service")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func list(cmd *cobra.Command, methods, asJSON bool) error {
	listings, err := call.List(cmd.Context())
	if err == nil {
		err = context.Cause(cmd.Context())
	}
	if err != nil {
		return err
	}
	report := newServicesReport(listings)
	out := cmd.OutOrStdout()
	if asJSON {
		return printJSON(out, report)
	}
	if len(report.Services) == 0 {
		_, err := fmt.Fprintln(cmd.ErrOrStderr(), "no services")
		return err
	}
	if err := printGrid(out, report.grid(time.Now())); err != nil || !methods {
		return err
	}
	if rows := report.methodGrid(); len(rows) > 1 {
		if _, err := io.WriteString(out, "\n"); err != nil {
			return err
		}
		return printGrid(out, rows)
	}
	return nil
}

// servicesReport is what ls prints.
type servicesReport struct {
	Services []serviceReport `json:"services"`
}

// serviceReport is what a service says of itself and what the system says of its process.
// Of one that does not answer there are the name and the error alone.
type serviceReport struct {
	Service string `json:"service"`
	Error   string `json:"error,omitempty"`
	*answer
}

type answer struct {
	call.Description
	User  string `json:"user"`
	P50NS int64  `json:"p50_ns"` // of the handlers' times; 0 without any
	P99NS int64  `json:"p99_ns"`
}

func newServicesReport(listings []call.Listing) servicesReport {
	report := servicesReport{Services: []serviceReport{}} // [] in JSON
	for _, l := range listings {
		s := serviceReport{Service: l.Service}
		if l.Err != nil {
			s.Error = oneLine(l.Err)
		} else {
			s.answer = newAnswer(l.Description)
		}
		report.Services = append(report.Services, s)
	}
	return report
}

func newAnswer(d call.Description) *answer {
	d.Conns = max(0, d.Conns-1) // this command's own
	if d.Started = d.Started.UTC(); d.Started.Year() < 1 || d.Started.Year() > 9999 {
		d.Started = time.Time{} // no clock has it, and JSON cannot
	}
	methods := []call.MethodDescription{} // [] in JSON, and so their times
	for _, m := range d.Methods {
		m.Times = append(call.Times{}, m.Times...)
		methods = append(methods, m)
	}
	d.Methods = methods
	times := allTimes(methods)
	return &answer{d, userName(d.UserID), times.Quantile(0.5).Nanoseconds(), times.Quantile(0.99).Nanoseconds()}
}

// allTimes puts the times of all methods together.
func allTimes(methods []call.MethodDescription) call.Times {
	var all call.Times
	for _, m := range methods {
		all = append(all, m.Times...)
	}
	slices.SortStableFunc(all, func(a, b call.Span) int { return cmp.Compare(a.To, b.To) })
	return all
}

// userName is a user's name, or the id of one that the system does not know.
func userName(id string) string {
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}
