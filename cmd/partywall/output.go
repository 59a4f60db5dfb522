package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

func jsonFlag(cmd *cobra.Command, asJSON *bool) {
	cmd.Flags().BoolVar(asJSON, "json", false, "print one JSON object")
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// row is a line of a table; an empty one separates.
type row struct{ name, value string }

// printTable prints rows in two columns, in one write.
func printTable(w io.Writer, rows []row) error {
	width := 0
	for _, r := range rows {
		width = max(width, utf8.RuneCountInString(r.name))
	}
	var b strings.Builder
	for _, r := range rows {
		b.WriteString(strings.TrimRight(fmt.Sprintf("%-*s  %s", width, r.name, r.value), " "))
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// grouped writes a number with a comma between groups of three digits.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func milliseconds(ns int64) string { return fmt.Sprintf("%9.3f ms", float64(ns)/1e6) }

// duration writes a time with a unit that suits it.
func duration(ns int64) string {
	switch {
	case ns < 10_000:
		return fmt.Sprintf("%d ns", ns)
	case ns < 10_000_000:
		return fmt.Sprintf("%.1f µs", float64(ns)/1e3)
	}
	return fmt.Sprintf("%.1f ms", float64(ns)/1e6)
}

// prefixes are those that packages put before their errors. Below the program's
// own they tell its user nothing.
var prefixes = strings.NewReplacer("partywall: ", "", "imaging: ", "", "winmsg: ", "", "procmem: ", "", "instance: ", "")

// oneLine puts an error's text, which may be a peer's, into one line that a
// terminal shows as it is.
func oneLine(err error) string {
	text := strings.Join(strings.Fields(prefixes.Replace(err.Error())), " ")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}
