package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/partywall/partywall/call"
)

// grid has a line for each service. Of one that does not answer, the rest of the line
// says why.
func (r servicesReport) grid(now time.Time) [][]string {
	rows := [][]string{{"SERVICE", "PID", "USER", "PROGRAM", "UP", "CONNS", "CALLS", "ERRORS", "IN FLIGHT", "P50", "P99"}}
	for _, s := range r.Services {
		if s.answer == nil {
			rows = append(rows, []string{clean(s.Service), s.Error})
			continue
		}
		rows = append(rows, []string{
			clean(s.Service), fmt.Sprint(s.PID), clean(s.User), clean(s.Program), s.age(now), fmt.Sprint(s.Conns),
			grouped(s.Calls), grouped(s.Errors), fmt.Sprint(s.InFlight), took(s.P50NS), took(s.P99NS),
		})
	}
	return rows
}

// methodGrid has a line for each method.
func (r servicesReport) methodGrid() [][]string {
	rows := [][]string{{"SERVICE", "METHOD", "CALLS", "ERRORS", "P50", "P99", "TAKES AND RETURNS"}}
	for _, s := range r.Services {
		if s.answer == nil {
			continue
		}
		for _, m := range s.Methods {
			p50, p99 := m.Times.Quantile(0.5).Nanoseconds(), m.Times.Quantile(0.99).Nanoseconds()
			rows = append(rows, []string{
				clean(s.Service), clean(m.Name), grouped(m.Calls), grouped(m.Errors),
				took(p50), took(p99), signature(m),
			})
		}
	}
	return rows
}

// signature says what a method takes and returns.
func signature(m call.MethodDescription) string {
	text := clean(m.Arg.Signature) + " -> " + clean(m.Result.Signature)
	if m.InPlace {
		text += ", in place"
	}
	return text
}

// took writes how long handlers took, if any has been timed.
func took(ns int64) string {
	if ns == 0 {
		return "-"
	}
	return duration(ns)
}

func (a *answer) age(now time.Time) string {
	if a.Started.IsZero() {
		return "-"
	}
	return age(now.Sub(a.Started))
}

// age writes how long a service has been there, in its two largest units.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	for _, u := range []struct {
		large, small time.Duration
		format       string
	}{{day, time.Hour, "%dd%02dh"}, {time.Hour, time.Minute, "%dh%02dm"}, {time.Minute, time.Second, "%dm%02ds"}} {
		if d >= u.large {
			return fmt.Sprintf(u.format, d/u.large, d%u.large/u.small)
		}
	}
	return fmt.Sprintf("%ds", max(0, d)/time.Second)
}

// printGrid prints rows of cells in columns, in one write. A row that is shorter than the
// first has no say in the columns' widths.
func printGrid(w io.Writer, rows [][]string) error {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			if len(row) == len(widths) || i == 0 {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
