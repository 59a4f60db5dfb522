package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/partywall/partywall/pe"
)

// reports are those of the PE files, and of what could not be read.
func (a *audit) reports() []pe.Report {
	var all []pe.Report
	for _, f := range a.files {
		if !f.other {
			all = append(all, f.report)
		}
	}
	return all
}

// severities counts the findings.
func (a *audit) severities() map[pe.Severity]int {
	count := map[pe.Severity]int{}
	for _, f := range a.files {
		for _, x := range f.report.Findings {
			count[x.Severity]++
		}
	}
	return count
}

// failed counts what could not be read to the end, or of that what the user named.
func (a *audit) failed(named bool) (n int) {
	for _, f := range a.files {
		if f.report.Err != nil && (f.named || !named) {
			n++
		}
	}
	return n
}

// complain says what could not be read, in a line each.
func (a *audit) complain(w io.Writer) {
	for _, f := range a.files {
		if f.report.Err != nil {
			fmt.Fprintf(w, "partywall: %s: %s\n", clean(f.report.File), reason(f.report.Err))
		}
	}
}

// reason is the text of an error without the package's name.
func reason(err error) string {
	return strings.TrimPrefix(oneLine(err), "pe: ")
}

// text lists the findings by file, and counts at last.
func (a *audit) text(w io.Writer) error {
	var b strings.Builder
	read, with := 0, 0
	for _, f := range a.files {
		r := f.report
		if f.found && !f.other && (r.Err == nil || len(r.Findings) > 0) {
			read++
		}
		if len(r.Findings) == 0 {
			continue
		}
		with++
		fmt.Fprintf(&b, "%s (%v)\n", clean(r.File), r.Machine)
		for _, x := range r.Findings {
			fmt.Fprintf(&b, "  %-7v  %s  %s\n", x.Severity, x.RuleID, clean(x.Message))
		}
		b.WriteByte('\n')
	}
	count := a.severities()
	fmt.Fprintf(&b, "%s audited, %d with findings: %s, %s, %s\n", counted(read, "file"), with,
		counted(count[pe.SeverityError], "error"), counted(count[pe.SeverityWarning], "warning"), counted(count[pe.SeverityNote], "note"))
	if n := a.others(); n > 0 {
		fmt.Fprintf(&b, "%s skipped: not a program or library, or a link\n", counted(n, "file"))
	}
	if n := a.failed(false); n > 0 {
		fmt.Fprintf(&b, "%s could not be read to the end\n", counted(n, "file"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// others counts what was skipped.
func (a *audit) others() int {
	n := a.skipped
	for _, f := range a.files {
		if f.other {
			n++
		}
	}
	return n
}

// auditReport is what pe audit prints of a file.
type auditReport struct {
	File     string               `json:"file"`
	Machine  string               `json:"machine,omitempty"`
	Findings []auditFindingReport `json:"findings"`
	Error    string               `json:"error,omitempty"`
}

type auditFindingReport struct {
	Rule     string      `json:"rule"`
	Severity pe.Severity `json:"severity"`
	Section  string      `json:"section,omitempty"`
	Message  string      `json:"message"`
	Offset   int64       `json:"offset"`
}

func (a *audit) json(w io.Writer) error {
	all := []auditReport{} // [] in JSON
	for _, r := range a.reports() {
		report := auditReport{File: r.File, Findings: []auditFindingReport{}}
		if r.Err != nil {
			report.Error = reason(r.Err)
		}
		if r.Machine != 0 || r.Err == nil {
			report.Machine = r.Machine.String()
		}
		for _, x := range r.Findings {
			report.Findings = append(report.Findings, auditFindingReport{x.RuleID, x.Severity, x.Section, x.Message, x.Offset})
		}
		all = append(all, report)
	}
	return printJSON(w, all)
}
