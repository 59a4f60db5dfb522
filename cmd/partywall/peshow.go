package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/examples/outfile"
	"github.com/partywall/partywall/pe"
)

func newPeShow() *cobra.Command {
	var s peShow
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show a PE file's headers and sections",
		Long: `Show what a Windows program or library says of itself: for which machine it is, where
it wants to be in memory, its tables, and its sections. It works on every system, and
nothing of the file is run.

  FLAGS    r read, w write, e execute, s shared, d discardable, k not cached, p not paged
  ADDRESS  in memory, relative to where the image begins
  SIZE     in memory
  OFFSET   in the file, of as many bytes as RAW SIZE says
  ENTROPY  bits per byte of the raw data: 0 where all bytes are the same, close to 8 for
           what is compressed or encrypted
  MAPPED   shared: one copy for all processes that load this file; copy-on-write: a
           process that writes gets a page of its own; read only
  WHAT     what a linker means by the name, or what the flags say if it is nobody's

Checksum and entropy need all of the file, which is read in pieces. Signatures are not
checked. What is strange about the file stands at the end, as warnings.

With --svg, a drawing of the file and of its image in memory is written as well, both to
the same scale, but for what would be too small to read.`,
		Example: `  partywall pe show program.exe
  partywall pe show SectionDLL.dll --exports --svg SectionDLL.svg
  partywall pe show program.exe --json | jq '.sections[] | select(.mapped == "shared")'`,
		Args:              oneFile("FILE"),
		RunE:              func(cmd *cobra.Command, args []string) error { return s.run(cmd, args[0]) },
		ValidArgsFunction: completeOneFile,
	}
	f := cmd.Flags()
	f.BoolVar(&s.exports, "exports", false, "list what it exports")
	f.BoolVar(&s.imports, "imports", false, "list what it imports")
	f.StringVar(&s.svg, "svg", "", "also draw it to this `file`")
	jsonFlag(cmd, &s.asJSON)
	completeFlag(cmd, "svg", completeFiles)
	return cmd
}

// peShow are the flags of pe show.
type peShow struct {
	exports, imports, asJSON bool
	svg                      string
}

func (s *peShow) run(cmd *cobra.Command, path string) error {
	if s.svg == "" && cmd.Flags().Changed("svg") {
		return usagef(cmd, "--svg needs the name of a file")
	}
	f, file, err := openPE(cmd.Context(), path)
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := newPEReport(cmd.Context(), path, f)
	if err != nil {
		return plainPE(err)
	}
	if s.svg != "" {
		if sameFile(s.svg, path) {
			return usagef(cmd, "--svg %s: that is the file which is shown", s.svg)
		}
		err := outfile.Write(cmd.Context(), s.svg, func(w io.Writer) error {
			_, err := io.WriteString(w, drawPE(r))
			return err
		})
		if err != nil {
			return err
		}
	}
	if !s.exports {
		r.Exports.Symbols = nil
	}
	if !s.imports {
		r.Imports.Libraries = nil
	}
	if s.asJSON {
		err = printJSON(cmd.OutOrStdout(), r)
	} else {
		err = r.print(cmd.OutOrStdout())
	}
	switch {
	case err != nil:
		return err
	case s.exports && r.exportsErr != nil:
		return fmt.Errorf("exports of %s: %w", path, plainPE(r.exportsErr))
	case s.imports && r.importsErr != nil:
		return fmt.Errorf("imports of %s: %w", path, plainPE(r.importsErr))
	}
	return nil
}

// sameFile reports whether two paths lead to one file that exists.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// oneFile is the check of a command that works on one file.
func oneFile(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 || args[0] == "" {
			return usagef(cmd, "a file is needed, %s; %d given", name, len(args))
		}
		return nil
	}
}

func completeOneFile(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// openPE opens a PE file, of which nothing is read when the context has ended. A pipe is not
// waited for.
func openPE(ctx context.Context, path string) (*pe.File, io.Closer, error) {
	if err := regular(path); err != nil {
		return nil, nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, nil, err
	}
	f, err := pe.New(boundReader{ctx, file}, info.Size())
	if err != nil {
		_ = file.Close()
		return nil, nil, plainPE(fmt.Errorf("%s: %w", path, err))
	}
	return f, file, nil
}

// regular refuses what is no regular file, and what is not there.
func regular(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file", path)
	}
	return err
}

// plainPE is an error without the prefixes of package pe. Their text is no part of
// other words' ends, as a plain replacement would have it.
func plainPE(err error) error {
	if err == nil {
		return nil
	}
	return &plainError{err}
}

type plainError struct{ err error }

var pePrefix = regexp.MustCompile(`(^|: )pe: `)

func (e *plainError) Error() string { return pePrefix.ReplaceAllString(e.err.Error(), "$1") }
func (e *plainError) Unwrap() error { return e.err }

func hexOf[T ~uint16 | ~uint32 | ~uint64 | ~int64](n T) string { return fmt.Sprintf("%#x", n) }

// print writes the report for people.
func (r *peReport) print(w io.Writer) error {
	if err := printTable(w, r.rows()); err != nil {
		return err
	}
	directories := [][]string{{"DIRECTORY", "ADDRESS", "SIZE", "IN"}}
	for _, d := range r.Directories {
		in := clean(d.Section)
		if d.Index == pe.DirSecurity {
			in = "the file, at that offset"
		}
		directories = append(directories, []string{d.Name, hexOf(d.Address), hexOf(d.Size), in})
	}
	sections := [][]string{{"SECTION", "FLAGS", "ADDRESS", "SIZE", "OFFSET", "RAW SIZE", "ENTROPY", "MAPPED", "WHAT"}}
	for _, s := range r.Sections {
		entropy := "-"
		if s.Entropy != nil {
			entropy = fmt.Sprintf("%.2f", *s.Entropy)
		}
		sections = append(sections, []string{
			clean(s.Name), s.Flags, hexOf(s.VirtualAddress), hexOf(s.VirtualSize), hexOf(s.RawOffset), hexOf(s.RawSize), entropy, s.Mapped, s.Meaning,
		})
	}
	exports := [][]string{{"EXPORT", "ORDINAL", "ADDRESS", "IN"}}
	for _, e := range r.Exports.Symbols {
		in := clean(e.Section)
		if e.Forward != "" {
			in = "forward to " + clean(e.Forward)
		}
		exports = append(exports, []string{orDash(clean(e.Name)), strconv.FormatUint(uint64(e.Ordinal), 10), hexOf(e.Address), in})
	}
	imports := [][]string{{"LIBRARY", "IMPORT", "ADDRESS"}}
	for _, l := range r.Imports.Libraries {
		for _, s := range l.Symbols {
			name := clean(s.Name)
			if name == "" {
				name = fmt.Sprintf("#%d", s.Ordinal)
			}
			imports = append(imports, []string{clean(l.Name), name, hexOf(s.Address)})
		}
		if len(l.Symbols) == 0 {
			imports = append(imports, []string{clean(l.Name), "-", "-"})
		}
	}
	for _, grid := range [][][]string{directories, sections, exports, imports} {
		if len(grid) == 1 {
			continue
		}
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
		if err := printGrid(w, grid); err != nil {
			return err
		}
	}
	var warnings strings.Builder
	for _, text := range r.Warnings {
		warnings.WriteString("\nwarning: " + clean(text))
	}
	if warnings.Len() == 0 {
		return nil
	}
	_, err := io.WriteString(w, warnings.String()+"\n")
	return err
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func (r *peReport) rows() []row {
	entry := "none"
	if r.EntryPoint != 0 {
		entry = hexOf(r.EntryPoint)
		if in := r.sectionAt(r.EntryPoint); in != "" {
			entry += " in " + clean(in)
		}
	}
	width := "PE32"
	if r.Plus {
		width = "PE32+"
	}
	return []row{
		{"file", fmt.Sprintf("%s, %s bytes", clean(r.File), grouped(uint64(r.Size)))},
		{"kind", fmt.Sprintf("%s for %s, %s", r.Kind, r.Machine, width)},
		{"entry", entry},
		{"image", fmt.Sprintf("%s bytes, at %s if it can", grouped(uint64(r.ImageSize)), hexOf(r.ImageBase))},
		{"headers", grouped(uint64(r.HeadersSize)) + " bytes"},
		{"alignment", fmt.Sprintf("%s bytes in memory, %s in the file", grouped(uint64(r.SectionAlignment)), grouped(uint64(r.FileAlignment)))},
		{"timestamp", hexOf(r.Timestamp)},
		{"characteristics", orDash(strings.Join(r.Characteristics, ", "))},
		{"protection", orDash(strings.Join(r.DLLCharacteristics, ", "))},
		{"checksum", r.Checksum.String()},
		{"signature", r.Signature.String()},
		{"overlay", r.Overlay.String()},
		{"exports", r.Exports.String()},
		{"imports", r.Imports.String()},
	}
}
