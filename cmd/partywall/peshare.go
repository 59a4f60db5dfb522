package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/examples/outfile"
	"github.com/partywall/partywall/pe"
)

func newPeShare() *cobra.Command {
	var s peShare
	cmd := &cobra.Command{
		Use:   "share FILE --section NAME:rws",
		Short: "Change a section's flags, so that processes share it",
		Long: `Change what may be done with the memory of a section, as the linker's
/SECTION:NAME,rws does, in a file that is linked already. With r, w and s all processes
that load the file have one copy of the section; without s, each has its own from when
it first writes.

  r read, w write, e execute, s shared, d discardable, k not cached, p not paged

The letters take the place of those that the section has ('partywall pe show FILE').
--section can be given several times. Only the flags and the checksum of the file
change. The file is replaced whole or not at all; with -o it stays, and the result is
another file.

What must not be shared is refused: a section with addresses, such as pointers and
import tables, one with a name that linkers use themselves, such as .data, one of which
nothing is in the file, such as .bss, and memory that is both writable and executable.
So is a signed file, unless --strip-signature is given.

Whoever may open the file can write to a shared section: docs/PE.md says when not to use
one.`,
		Example: `  partywall pe share program.exe --section Counter:rws
  partywall pe share SectionDLL.dll --section SectionA:rws --section SectionB:rws -o shared.dll
  partywall pe share program.exe --section Counter:rw    # each process has its own again`,
		Args:              oneFile("FILE"),
		RunE:              func(cmd *cobra.Command, args []string) error { return s.run(cmd, args[0]) },
		ValidArgsFunction: completeOneFile,
	}
	cmd.Flags().StringArrayVar(&s.sections, "section", nil, "the section and its flags, `NAME:rws`")
	s.flags(cmd)
	completeFlag(cmd, "section", completeSections)
	return cmd
}

// pePatch is what share and add have in common.
type pePatch struct {
	out           string
	strip, asJSON bool
}

func (p *pePatch) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&p.out, "output", "o", "", "write the result to this `file`, and leave FILE as it is")
	f.BoolVar(&p.strip, "strip-signature", false, "remove the signature of a signed file, which the change makes invalid")
	jsonFlag(cmd, &p.asJSON)
	completeFlag(cmd, "output", completeFiles)
}

func (p *pePatch) options() pe.PatchOptions { return pe.PatchOptions{StripSignature: p.strip} }

// apply patches a file. What change returns is written.
func (p *pePatch) apply(cmd *cobra.Command, path string, change func(*pe.File) (*pe.Patch, error)) error {
	if p.out == "" && cmd.Flags().Changed("output") {
		return usagef(cmd, "--output needs the name of a file")
	}
	if err := regular(path); err != nil {
		return err
	}
	out := path
	if p.out != "" {
		out = p.out
	}
	if err := replaceable(out); err != nil {
		return err
	}
	changed := false
	err := pe.PatchFile(path, p.out, func(f *pe.File) (*pe.Patch, error) {
		patch, err := change(f)
		if err == nil {
			err = cmd.Context().Err()
		}
		changed = err == nil
		return patch, err
	})
	switch {
	case errors.Is(err, pe.ErrSigned):
		return fmt.Errorf("%w (--strip-signature does that)", plainPE(err))
	case err != nil && changed:
		return fmt.Errorf("write %s: %w", out, withoutPath(plainPE(err)))
	}
	return plainPE(err)
}

// withoutPath is the system's error without the new file's name, which its user has never
// seen.
func withoutPath(err error) error {
	if path := (*os.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	if link := (*os.LinkError)(nil); errors.As(err, &link) {
		return link.Err
	}
	return err
}

// replaceable refuses what a new file must not take the place of.
func replaceable(path string) error {
	if info, err := os.Stat(path); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		return fmt.Errorf("write %s: not a regular file", path)
	}
	return outfile.Check(path)
}

// sectionFlags is what --section says.
type sectionFlags struct {
	name  string
	flags pe.SectionFlags
}

func parseSectionFlags(cmd *cobra.Command, text string) (sectionFlags, error) {
	i := strings.LastIndexByte(text, ':')
	if i <= 0 || i == len(text)-1 {
		return sectionFlags{}, usagef(cmd, "--section %s: NAME:FLAGS is needed, such as Counter:rws", text)
	}
	flags, err := pe.ParseFlags(text[i+1:])
	if err != nil {
		return sectionFlags{}, usagef(cmd, "--section %s: %w", text, err)
	}
	return sectionFlags{text[:i], flags}, nil
}

// peShare are the flags of pe share.
type peShare struct {
	pePatch
	sections []string
}

// peShareReport is what pe share prints.
type peShareReport struct {
	File     string            `json:"file"` // the result
	Size     int64             `json:"size"`
	Sections []peSharedSection `json:"sections"`
	Stripped bool              `json:"signature_stripped"`
}

type peSharedSection struct {
	Name   string `json:"name"`
	Flags  string `json:"flags"`
	Before string `json:"flags_before"`
	Mapped string `json:"mapped"`
}

func (s *peShare) run(cmd *cobra.Command, path string) error {
	if len(s.sections) == 0 {
		return usagef(cmd, "which section? --section NAME:rws chooses one ('partywall pe show FILE' lists them)")
	}
	var wanted []sectionFlags
	for _, text := range s.sections {
		w, err := parseSectionFlags(cmd, text)
		if err != nil {
			return err
		}
		wanted = append(wanted, w)
	}
	r := peShareReport{File: path}
	if s.out != "" {
		r.File = s.out
	}
	err := s.apply(cmd, path, func(f *pe.File) (p *pe.Patch, err error) {
		r.Stripped = f.Directory(pe.DirSecurity) != (pe.Directory{})
		for _, w := range wanted {
			before := f.Section(w.name)
			if p, err = f.SetFlags(w.name, w.flags, s.options()); err != nil {
				return nil, err
			}
			if f, err = pe.New(p, p.Size()); err != nil {
				return nil, err
			}
			now := f.Section(w.name).Flags
			r.Sections = append(r.Sections, peSharedSection{w.name, now.String(), before.Flags.String(), mapped(now)})
		}
		r.Size = p.Size()
		return p, nil
	})
	if err != nil {
		return err
	}
	if s.asJSON {
		return printJSON(cmd.OutOrStdout(), r)
	}
	var parts []string
	for _, c := range r.Sections {
		parts = append(parts, fmt.Sprintf("section %s has %s, had %s: %s", clean(c.Name), orDash(c.Flags), orDash(c.Before), c.Mapped))
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), clean(r.File)+": "+strings.Join(parts, "; ")+stripped(r.Stripped))
	return err
}

func stripped(was bool) string {
	if was {
		return "; the signature is removed"
	}
	return ""
}

// completeSections offers the sections of the file that is named already.
func completeSections(cmd *cobra.Command, args []string, _ string) (offers []string, _ cobra.ShellCompDirective) {
	if len(args) != 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	f, file, err := openPE(cmd.Context(), args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer file.Close()
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Name != "" && s.Name == clean(s.Name) {
			offers = append(offers, cobra.CompletionWithDesc(s.Name+":rws", fmt.Sprintf("has %s; %s", orDash(s.Flags.String()), meaning(s))))
		}
	}
	return offers, cobra.ShellCompDirectiveNoFileComp
}
