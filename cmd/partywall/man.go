package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/partywall/partywall/examples/outfile"
)

func newMan() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "man DIR",
		Short: "Write a manual page for each command",
		Long: `Write a manual page for this command and for each below it, such as
partywall-demo.1, to the directory DIR, and print the names of the files. DIR is made
if it is missing, and pages in it are replaced, each at once.

The pages say of which version they are. They have no date, unless
SOURCE_DATE_EPOCH sets one in seconds since 1970: the same program writes the same
pages.`,
		Example: `  partywall man /usr/local/share/man/man1
  partywall man build/man && man -l build/man/partywall.1`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usagef(cmd, "a directory is needed, DIR; %d given", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return writeMan(cmd, args[0], asJSON) },
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// manReport is what man prints.
type manReport struct {
	Files []string `json:"files"`
}

func writeMan(cmd *cobra.Command, dir string, asJSON bool) error {
	date, err := manDate()
	if err != nil {
		return usagef(cmd, "%w", err)
	}
	pages, err := manPages(newRoot(), date)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var report manReport
	for _, p := range pages {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		file := filepath.Join(dir, p.name)
		err := outfile.Write(cmd.Context(), file, func(w io.Writer) error {
			_, err := w.Write(p.text)
			return err
		})
		if err != nil {
			return err
		}
		report.Files = append(report.Files, file)
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), report)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), strings.Join(report.Files, "\n"))
	return err
}

// manDate returns the date for the pages' footers: none, unless whoever builds
// them reproducibly says otherwise (reproducible-builds.org/specs/source-date-epoch).
func manDate() (string, error) {
	const variable = "SOURCE_DATE_EPOCH"
	text := os.Getenv(variable)
	if text == "" {
		return "", nil
	}
	const year10000 = 253402300800
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds >= year10000 {
		return "", fmt.Errorf("%s=%s: seconds since 1970 are needed", variable, text)
	}
	return time.Unix(seconds, 0).UTC().Format(time.DateOnly), nil
}

// A manPage is a file of section 1.
type manPage struct {
	name string
	text []byte
}

// manPages makes the pages of a command and of those below it. It changes the
// commands' texts on its way.
func manPages(cmd *cobra.Command, date string) ([]manPage, error) {
	cmd.InitDefaultVersionFlag()
	forMarkdown(cmd)
	var out bytes.Buffer
	if err := doc.GenMan(cmd, &doc.GenManHeader{Date: &time.Time{}}, &out); err != nil {
		return nil, err
	}
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	pages := []manPage{{name + ".1", finishPage(name, date, out.String())}}
	for _, c := range manual(cmd) {
		below, err := manPages(c, date)
		if err != nil {
			return nil, err
		}
		pages = append(pages, below...)
	}
	return pages, nil
}

// forMarkdown makes a command's texts, which are written for a terminal, into the
// Markdown that cobra takes them for.
func forMarkdown(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true
	cmd.Long = markdown(cmp.Or(cmd.Long, cmd.Short) + commandsOf(cmd))
	cmd.Short = escapeMarkdown(cmd.Short)
	cmd.InitDefaultHelpFlag()
	cmd.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		// What cobra prints as the default is made the name of the value, as --help
		// has it, and the default follows the text.
		name, usage := pflag.UnquoteUsage(f)
		if !slices.Contains([]string{"", "0", "0s", "false", "[]"}, f.DefValue) {
			usage += " (default " + f.DefValue + ")"
		}
		f.Usage, f.DefValue, f.NoOptDefVal = escapeMarkdown(usage), name, ""
	})
}

// commandsOf lists the commands below one, with what they do.
func commandsOf(cmd *cobra.Command) string {
	var b strings.Builder
	for _, c := range manual(cmd) {
		fmt.Fprintf(&b, "  %-*s  %s\n", cmd.NamePadding(), c.Name(), c.Short)
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n\nIts commands, each with a page of its own:\n\n" + b.String()
}

// manual returns the commands below one that have a page: neither hidden ones nor help.
func manual(cmd *cobra.Command) (all []*cobra.Command) {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && !c.IsAdditionalHelpTopicCommand() {
			all = append(all, c)
		}
	}
	return all
}

// markdown keeps paragraphs as they are, and indented lines line by line.
func markdown(text string) string {
	const (
		blank = iota
		words
		code
	)
	var b strings.Builder
	was := blank
	for line := range strings.Lines(text + "\n\n") {
		line = strings.TrimRight(line, "\n")
		is := words
		switch {
		case line == "":
			is = blank
		case line[0] == ' ' || line[0] == '\t':
			is = code
			line = strings.ReplaceAll(line, "\t", "  ")
		}
		if is != was {
			if was == code {
				b.WriteString("```\n")
			}
			if is != blank {
				b.WriteString("\n")
			}
			if is == code {
				b.WriteString("```\n")
			}
			was = is
		}
		if is == words {
			heading, ok := strings.CutPrefix(line, "#### ") // in what cobra says about completions
			if line = escapeMarkdown(heading); ok {
				line = "**" + line + "**"
			}
		}
		if is != blank {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

var markdownSpecials = regexp.MustCompile("[\\\\`*_{}\\[\\]()#+.!:|&<>~-]")

func escapeMarkdown(text string) string { return markdownSpecials.ReplaceAllString(text, `\$0`) }

const exitStatus = `.SH EXIT STATUS
.TP
0
done
.TP
1
failed; standard error says why, in one line
.TP
2
wrong usage
`

var (
	manOption  = regexp.MustCompile(`(?m)^(?:\.PP\n)?(\\fB-.*\\fP)="?([^"\n]*)"?\n\t`)
	manSection = regexp.MustCompile(`(?m)^\.SH (?:EXAMPLES|SEE ALSO)$`)
	manPageRef = regexp.MustCompile(`\\fB([^(\n]+)(\(1\))\\fP`)
	manBlank   = regexp.MustCompile(`\n{2,}`)

	// What is typed must not become a typographer's dash or quotation mark.
	manTyped = strings.NewReplacer("-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)
)

// finishPage makes cobra's page one as man(7) and man-pages(7) have it.
func finishPage(name, date, page string) []byte {
	_, page, _ = strings.Cut(page, ".SH NAME\n")
	page = manOption.ReplaceAllString(page, ".TP\n$1 \\fI$2\\fP\n")
	page = strings.ReplaceAll(page, ` \fI\fP`, "")                 // a flag without a value
	page = manPageRef.ReplaceAllString(page, `\fB\%$1\fP$2`)       // a name is not hyphenated
	page = strings.ReplaceAll(page, "\n.EX\n", "\n.PP\n.EX\n")     // md2man forgets the distance,
	page = strings.ReplaceAll(page, "EXAMPLE\n.PP\n", "EXAMPLE\n") // which a heading has
	page = strings.Replace(page, "\n.SH EXAMPLE\n", "\n.SH EXAMPLES\n", 1)
	end := len(page)
	if at := manSection.FindStringIndex(page); at != nil {
		end = at[0]
	}
	page = strings.TrimRight(page[:end], "\n") + "\n" + exitStatus + page[end:]
	page = strings.TrimRight(manBlank.ReplaceAllString(page, "\n"), "\n") + "\n"
	head := fmt.Sprintf(".TH %q %q %q %q %q\n.nh\n.SH NAME\n", strings.ToUpper(name), "1", date, "partywall "+versionOf().Version, "User Commands")
	return []byte(manTyped.Replace(head + page))
}
