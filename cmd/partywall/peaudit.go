package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/examples/outfile"
	"github.com/partywall/partywall/pe"
)

// auditPlan is what pe audit is asked for.
type auditPlan struct {
	asJSON, asSARIF, checksum bool
	out, failOn               string
	jobs                      int

	bar pe.Severity // from which on it fails; 0: never
}

func newPeAudit() *cobra.Command {
	var plan auditPlan
	cmd := &cobra.Command{
		Use:   "audit PATH...",
		Short: "Find shared sections and other weaknesses of Windows programs and libraries",
		Long: `Read the headers of PE files and say what makes them less safe than they could be:
sections that all processes share and can write, or that can be written and executed;
addresses, imports and tables in shared sections; names and flags that do not go
together; protections that the linker left out; data that is cut off. Each rule has
a number, and --sarif and the package's documentation say what to do about it.

A PATH is a file, or a folder whose files are audited, and those of the folders in it;
links in them are not followed. Files in folders that do not begin with "MZ", as
programs and libraries do, are skipped and counted. What cannot be read is reported on
standard error, and the exit status is 1 if it was named itself; 1 too if there is a
finding as severe as --fail-on. That a file is not signed is no finding.

With --json, an array has an object for each file: file, machine, findings (rule,
severity, section, message, offset), and error if it could not be read to the end. With --sarif
the findings are a SARIF 2.1.0 log, for code hosts and editors; name paths relative to
the root of the repository for that.`,
		Example: `  partywall pe audit program.exe library.dll
  partywall pe audit --fail-on error --sarif --out audit.sarif build/
  partywall pe audit --json . | jq -r '.[] | select(.findings != []) | .file'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || slices.Contains(args, "") {
				return usagef(cmd, "files or folders are needed, PATH...")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := plan.check(cmd); err != nil {
				return err
			}
			return plan.run(cmd, args)
		},
		ValidArgsFunction: completeFiles,
	}
	f := cmd.Flags()
	f.BoolVar(&plan.asJSON, "json", false, "print a JSON array with an object for each file")
	f.BoolVar(&plan.asSARIF, "sarif", false, "print a SARIF 2.1.0 log")
	f.StringVarP(&plan.out, "out", "o", "", "write to this `file` instead of standard output")
	f.StringVar(&plan.failOn, "fail-on", "warning", "the `severity` from which on a finding makes the command fail: error, warning, note or never")
	f.BoolVar(&plan.checksum, "checksum", false, "compare checksums too, which reads whole files")
	f.IntVar(&plan.jobs, "jobs", runtime.GOMAXPROCS(0), "the `number` of files that are read at once; by default that of the processors")
	f.Lookup("jobs").DefValue = "0" // the manual is the same everywhere
	completeFlag(cmd, "out", completeFiles)
	completeFlag(cmd, "fail-on", cobra.FixedCompletions([]string{"error", "warning", "note", "never"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (p *auditPlan) check(cmd *cobra.Command) error {
	switch {
	case p.asJSON && p.asSARIF:
		return usagef(cmd, "--json and --sarif: one of them is possible")
	case p.jobs < 1:
		return usagef(cmd, "--jobs %d: 1 or more is possible", p.jobs)
	case p.out == "" && cmd.Flags().Changed("out"):
		return usagef(cmd, "--out needs a value")
	}
	if p.failOn != "never" && p.bar.UnmarshalText([]byte(p.failOn)) != nil {
		return usagef(cmd, "--fail-on %s: error, warning, note and never are possible", p.failOn)
	}
	return nil
}

func (p *auditPlan) run(cmd *cobra.Command, paths []string) error {
	if p.out != "" {
		if err := outfile.Check(p.out); err != nil {
			return err
		}
	}
	a := newAudit(p)
	if err := a.read(cmd.Context(), paths); err != nil {
		return err
	}
	a.complain(cmd.ErrOrStderr())
	if err := p.print(cmd, a); err != nil {
		return err
	}
	return a.verdict(p.bar)
}

// print writes the report to where it is wanted.
func (p *auditPlan) print(cmd *cobra.Command, a *audit) error {
	write := a.text
	switch {
	case p.asJSON:
		write = a.json
	case p.asSARIF:
		write = func(w io.Writer) error { return pe.WriteSARIF(w, a.reports()) }
	}
	if p.out != "" {
		return outfile.Write(cmd.Context(), p.out, write)
	}
	if err := context.Cause(cmd.Context()); err != nil {
		return err
	}
	return write(outfile.Bound(cmd.Context(), cmd.OutOrStdout()))
}

// verdict is the error that the command ends with.
func (a *audit) verdict(bar pe.Severity) error {
	var reasons []string
	if n := a.failed(true); n > 0 {
		reasons = append(reasons, counted(n, "path")+" could not be audited")
	}
	total, severe := 0, 0
	for severity, n := range a.severities() {
		total += n
		if severity >= bar {
			severe += n
		}
	}
	if bar > 0 && severe > 0 {
		reasons = append(reasons, fmt.Sprintf("%d of %s at or above --fail-on %v", severe, counted(total, "finding"), bar))
	}
	if len(reasons) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(reasons, "; "))
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return grouped(uint64(n)) + " " + noun
}
