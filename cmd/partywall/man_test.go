package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// groff sets a manual page as a terminal as wide as need be would show it. The test
// fails at any warning.
func groff(t *testing.T, page []byte) string {
	t.Helper()
	path, err := exec.LookPath("groff")
	if err != nil {
		if runtime.GOOS == "linux" {
			t.Fatalf("groff, which manual pages are checked with, is not installed (Debian: apt-get install groff-base): %v", err)
		}
		t.Skipf("groff is not installed: %v", err)
	}
	cmd := exec.Command(path, "-man", "-Kutf8", "-Tutf8", "-P-cbou", "-ww", "-rLL=1000n", "-rHY=0", "-dAD=l")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // it has its own idea of SOURCE_DATE_EPOCH
	cmd.Stdin = bytes.NewReader(page)
	var out, warnings bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &warnings
	if err := cmd.Run(); err != nil || warnings.Len() > 0 {
		t.Fatalf("groff: %v\n%s\n%s", err, &warnings, page)
	}
	return strings.ReplaceAll(out.String(), "\u2212", "-") // groff's minus sign
}

// squeezed is text without blanks, which a page may have elsewhere.
func squeezed(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
}

// visible lists a command and all below it that a user is shown.
func visible(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		if !c.Hidden && c.Name() != "help" {
			all = append(all, visible(c)...)
		}
	}
	return all
}

func TestManPages(t *testing.T) {
	pages, err := manPages(newRoot(), "")
	if err != nil {
		t.Fatal(err)
	}
	commands := visible(newRoot())
	if len(pages) != len(commands) {
		t.Fatalf("%d pages of %d commands", len(pages), len(commands))
	}
	for i, c := range commands {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-")
		t.Run(name, func(t *testing.T) {
			if pages[i].name != name+".1" {
				t.Fatalf("the page is called %s", pages[i].name)
			}
			checkPage(t, c, string(pages[i].text))
		})
	}
}

// checkPage compares a page with what --help says.
func checkPage(t *testing.T, c *cobra.Command, page string) {
	if strings.Contains(page, "serve-child") || strings.Contains(page, "cobra") {
		t.Error("it tells what users are not told")
	}
	for line := range strings.Lines(page) {
		if strings.TrimRight(line, " \n") != strings.TrimSuffix(line, "\n") || line == "\n" {
			t.Errorf("the line %q has blanks at its end, or is empty", line)
		}
		if strings.Contains(strings.ReplaceAll(line, `\-`, ""), "-") {
			t.Errorf("%q has a hyphen where a minus sign is typed", line)
		}
	}
	text := groff(t, []byte(page))
	want := []string{"NAME", strings.ReplaceAll(c.CommandPath(), " ", "-") + " - " + c.Short,
		"SYNOPSIS", c.UseLine(), "DESCRIPTION", strings.ReplaceAll(c.Long, "#### ", "")}
	for _, below := range c.Commands() {
		if below.IsAvailableCommand() {
			want = append(want, below.Name()+" "+below.Short)
		}
	}
	want = append(want, "OPTIONS")
	c.InitDefaultHelpFlag()
	c.InitDefaultVersionFlag()
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name, usage := pflag.UnquoteUsage(f)
		want = append(want, "--"+f.Name+name+usage)
	})
	want = append(want, "EXIT STATUS", "0 done", "1 failed", "2 wrong usage")
	if c.Example != "" {
		want = append(want, "EXAMPLES", c.Example)
	}
	if c.HasParent() {
		want = append(want, "SEE ALSO", strings.ReplaceAll(c.Parent().CommandPath(), " ", "-")+"(1)")
	}
	rest := squeezed(text)
	for _, w := range want {
		var ok bool
		if _, rest, ok = strings.Cut(rest, squeezed(w)); !ok {
			t.Fatalf("%q is missing, or stands elsewhere:\n%s", w, text)
		}
	}
	for line := range strings.Lines(c.Example) {
		if !strings.Contains(text, strings.TrimSpace(line)) {
			t.Errorf("the example %q is not shown as it is typed", line)
		}
	}
}

// A text written for a terminal stays what it is, whatever Markdown or roff would
// make of it.
func TestManTexts(t *testing.T) {
	long := `Stars *are* _not_ emphasis, nor is a_b_c; <tags> & entities &amp; [links](x) stay.
.dots and
'quotes begin lines, and so do
- dashes,
1. numbers,
+ signs and
# marks. A \backslash, a |bar|, a ~tilde~ and a "quote" too; http://example.org/~a?b=c^d.

  indented   text   keeps   its   blanks
  .dot 'quote' \back *star* ` + "`tick`" + `

Last --line -x.`
	cmd := &cobra.Command{
		Use:     "tool FILE...",
		Short:   "Do <this> & *that*, with_underscores",
		Long:    long,
		Example: "  tool 'a b' \\n `c` *.go ~/x ^y --flag=-1 # not -- a comment",
		Run:     func(*cobra.Command, []string) {},
	}
	cmd.Flags().String("name", "a<b", "the `value` of *this* or <that>, a_b_c")
	pages, err := manPages(cmd, "")
	if err != nil || len(pages) != 1 {
		t.Fatal(err, pages)
	}
	text := groff(t, pages[0].text)
	for _, want := range []string{
		"tool - Do <this> & *that*, with_underscores", "tool FILE... [flags]", long,
		"--name value the value of *this* or <that>, a_b_c (default a<b)", cmd.Example,
	} {
		// manPages has changed the command.
		if want = regexp.MustCompile("(?m)^```$").ReplaceAllString(want, ""); !strings.Contains(squeezed(text), squeezed(want)) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	for _, line := range []string{"indented   text   keeps   its   blanks", "tool 'a b' \\n `c` *.go ~/x ^y --flag=-1 # not -- a comment"} {
		if !strings.Contains(text, "  "+line+"\n") {
			t.Errorf("%q is not kept as it is in\n%s", line, text)
		}
	}
}

// The same program writes the same pages.
func TestManReproducible(t *testing.T) {
	var first []manPage
	for range 3 {
		pages, err := manPages(newRoot(), "")
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = pages
		}
		if !slices.EqualFunc(first, pages, func(a, b manPage) bool { return a.name == b.name && bytes.Equal(a.text, b.text) }) {
			t.Error("two runs differ")
		}
	}
	want := fmt.Sprintf(`.TH "PARTYWALL" "1" "" "partywall %s" "User Commands"`, versionOf().Version)
	if got, _, _ := bytes.Cut(first[0].text, []byte("\n")); strings.ReplaceAll(string(got), `\-`, "-") != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestManDate(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "0": "1970-01-01", "1700000000": "2023-11-14", "253402300799": "9999-12-31",
		"253402300800": "error", "-1": "error", "today": "error", "1.5": "error", "99999999999999999999": "error",
	} {
		t.Setenv("SOURCE_DATE_EPOCH", text)
		t.Setenv("TZ", "Pacific/Kiritimati")
		got, err := manDate()
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%q: got %s, %v, want %s", text, got, err, want)
		}
	}
	pages, err := manPages(newRoot(), "2023-11-14")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		if text := groff(t, p.text); !strings.Contains(text, "2023-11-14") {
			t.Errorf("%s has no date:\n%s", p.name, text)
		}
	}
}

func TestMarkdown(t *testing.T) {
	for text, want := range map[string]string{
		"One\ntwo: a*b.\n\n\nThree":  "One\ntwo\\: a\\*b\\.\n\nThree",
		"#### Head:\n\nEnd\n":        "**Head\\:**\n\nEnd",
		"A:\n  b *c*\n\td\n\n  e\nF": "A\\:\n\n```\n  b *c*\n  d\n```\n\n```\n  e\n```\n\nF",
		"  a":                        "```\n  a\n```",
		"":                           "",
	} {
		if diff := cmp.Diff(want, strings.Trim(markdown(text), "\n")); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
