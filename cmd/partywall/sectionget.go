package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/section"
)

func newSectionGet() *cobra.Command {
	var g sectionGetter
	cmd := &cobra.Command{
		Use:   "get NAME [FIELD]",
		Short: "Print the value of a section, or of one of its fields",
		Long: `Print the current value of a section as JSON, in one line. Bytes are written to
standard output as they are.

With FIELD, such as pos.x or points[3], print that field alone: a text as it is,
everything else as JSON.

With --json, print one object with the version too; bytes are base64 in it.`,
		Example: `  partywall section get plant/line1
  partywall section get plant/line1 Name
  partywall section get plant/line1 --json | jq .value.Temperature`,
		Args: sectionName("a section is needed, and one field is possible", 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				g.field = args[1]
			}
			return g.place.explain(args[0], g.run(cmd, args[0]))
		},
		ValidArgsFunction: completeSection(&g.place, offerFields),
	}
	g.place.flags(cmd)
	jsonFlag(cmd, &g.asJSON)
	return cmd
}

// sectionGetter is one run of section get.
type sectionGetter struct {
	place  sectionPlace
	field  string
	asJSON bool
}

// valueReport is what section get prints with --json.
type valueReport struct {
	Section string          `json:"section"`
	Field   string          `json:"field,omitempty"`
	Type    string          `json:"type"`
	Version uint64          `json:"version"`
	Value   json.RawMessage `json:"value"`
}

func (g *sectionGetter) run(cmd *cobra.Command, name string) error {
	d, err := section.OpenDynamic(name, g.place.options(section.ReadOnly())...)
	if err != nil {
		return err
	}
	defer d.Close()
	w := cmd.OutOrStdout()
	if d.Form() == "bytes" && g.field == "" && !g.asJSON {
		data, _, err := d.LoadBytes()
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}
	f, err := d.Field(g.field)
	if err != nil {
		return err
	}
	value, version, err := d.LoadJSON(g.field)
	if err != nil {
		return err
	}
	if g.asJSON {
		return printJSON(w, valueReport{name, g.field, f.Signature, version, value})
	}
	if g.field != "" && value[0] == '"' {
		return printRaw(w, f.Signature, value)
	}
	_, err = w.Write(append(value, '\n'))
	return err
}

var bytesSignature = regexp.MustCompile(`^\*?\[[0-9]*\]byte$`)

// printRaw prints a JSON text as it is: bytes without anything, a text as a line. On a terminal that line has
// nothing that the terminal would obey.
func printRaw(w io.Writer, signature string, value []byte) error {
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return err
	}
	if bytesSignature.MatchString(signature) {
		data, err := base64.StdEncoding.DecodeString(text)
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	}
	if isTerminal(w) {
		text = printable(text)
	}
	_, err := io.WriteString(w, text+"\n")
	return err
}

// isTerminal reports whether somebody may be looking at what is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// printable is a text without what a terminal would obey.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\n' {
			return r
		}
		return '?'
	}, text)
}
