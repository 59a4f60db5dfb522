package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/outfile"
)

// resultReport is what call prints with --json.
type resultReport struct {
	Service   string          `json:"service"`
	Method    string          `json:"method"`
	Result    json.RawMessage `json:"result"`
	BodyBytes int             `json:"body_bytes"` // beside the result
	Out       string          `json:"out,omitempty"`
	NS        int64           `json:"duration_ns"` // of the call, without dialling
}

// print prints the result, and then writes what came beside it: if that fails, the
// result is not lost.
func (c *caller) print(cmd *cobra.Command, r *resultReport, body []byte) error {
	w := cmd.OutOrStdout()
	if c.out == "-" {
		w = cmd.ErrOrStderr()
	}
	if err := c.printResult(w, r); err != nil {
		return err
	}
	switch {
	case c.out == "-":
		_, err := cmd.OutOrStdout().Write(body)
		return err
	case c.out != "":
		return outfile.Write(cmd.Context(), c.out, func(w io.Writer) error {
			_, err := w.Write(body)
			return err
		})
	case len(body) > 0:
		_, err := fmt.Fprintf(cmd.ErrOrStderr(), "partywall: %s bytes beside the result are dropped; --out FILE keeps them\n", grouped(uint64(len(body))))
		return err
	}
	return nil
}

func (c *caller) printResult(w io.Writer, r *resultReport) error {
	if c.asJSON {
		return printJSON(w, r)
	}
	var text bytes.Buffer
	if !c.indent {
		text.Write(r.Result)
	} else if err := json.Indent(&text, r.Result, "", "  "); err != nil {
		return err
	}
	text.WriteByte('\n')
	_, err := text.WriteTo(w)
	return err
}

// methodReport is what call prints with --describe.
type methodReport struct {
	Service string               `json:"service"`
	PID     int                  `json:"pid"`
	Method  string               `json:"method"`
	InPlace bool                 `json:"in_place"`
	Arg     call.TypeDescription `json:"arg"`
	Result  call.TypeDescription `json:"result"`
	Example json.RawMessage      `json:"example,omitempty"` // an argument to begin with

	command string // the same for a shell
}

func (c *caller) printDescription(ctx context.Context, w io.Writer, conn *call.Conn, m *call.Dynamic) error {
	d, err := conn.Describe(ctx)
	if err != nil {
		return err
	}
	takes := parseShape(m.Arg().Signature)
	r := methodReport{
		Service: c.service, PID: d.PID, Method: c.method, Arg: m.Arg(), Result: m.Result(),
		Example: takes.example(true), command: c.exampleCommand(takes),
	}
	for _, method := range d.Methods {
		if method.Name == c.method {
			r.InPlace = method.InPlace
		}
	}
	if c.asJSON {
		return printJSON(w, r)
	}
	return printTable(w, r.table())
}

func (r *methodReport) table() []row {
	method := r.Method
	if r.InPlace {
		method += ", which works in place, on the body"
	}
	rows := []row{
		{"service", fmt.Sprintf("%s, process %d", r.Service, r.PID)},
		{"method", method},
		{"takes", typeText(r.Arg)},
		{"returns", typeText(r.Result)},
	}
	if r.command != "" {
		rows = append(rows, row{}, row{"example", r.command})
	}
	return rows
}

// exampleCommand is what can be typed to call a method, or "" if nothing is known of its
// argument.
func (c *caller) exampleCommand(takes *shape) string {
	if !takes.known() {
		return ""
	}
	command := fmt.Sprintf("partywall call %s %s", c.service, c.method)
	if e := string(takes.example(false)); e != "" && e != "{}" {
		command += " " + quoteShell(e)
	}
	for _, path := range takes.paths((*shape).isBytes) {
		command += " --file " + quoteShell(path+"=FILE")
	}
	return command
}

var formTexts = map[string]string{"fixed": "a fixed layout", "bytes": "as they are", "document": "a document"}

func typeText(t call.TypeDescription) string {
	return fmt.Sprintf("%s (%s)", clean(t.Signature), formTexts[t.Form])
}

// quoteShell quotes a text for a POSIX shell, where it is needed.
func quoteShell(text string) string {
	if strings.IndexFunc(text, func(r rune) bool {
		return !strings.ContainsRune(".=_-", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
