package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/pe"
)

func newPeAdd() *cobra.Command {
	var a peAdd
	cmd := &cobra.Command{
		Use:   "add FILE --section NAME:rws --size N",
		Short: "Add a section, such as one that processes share",
		Long: `Add a section to a program or library that is linked already. With the flags rws, all
processes that load the file have one copy of it; a program finds it in itself by its
name, in Go with pe.Self.

A name has at most 8 characters of printable ASCII, and is none that linkers use
themselves. The size is in bytes; 64K, 1M and 1G are possible too. The section begins
with the bytes of --init, and the rest is zero. Without --size it is as large as
those.

The section comes behind everything else, in memory and in the file, whose other
offsets stay as they are. The file is replaced whole or not at all; with -o it stays,
and the result is another file. A file without room for one more entry in its
table of sections is refused, and so is a signed one, unless --strip-signature is
given.

Whoever may open the file can write to a shared section: docs/PE.md says when not to use
one.`,
		Example: `  partywall pe add program.exe --section Counter:rws --size 4096
  partywall pe add program.exe --section Table:rws --size 1M --init table.bin -o shared.exe
  partywall pe add program.exe --section Notice:r --init notice.txt`,
		Args:              oneFile("FILE"),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.run(cmd, args[0]) },
		ValidArgsFunction: completeOneFile,
	}
	f := cmd.Flags()
	f.StringVar(&a.section, "section", "", "the new section and its flags, `NAME:rws`")
	f.StringVar(&a.size, "size", "", "its size, as `N` bytes, 64K or 1M")
	f.StringVar(&a.init, "init", "", "the `file` with the bytes that it begins with")
	a.flags(cmd)
	completeFlag(cmd, "init", completeFiles)
	return cmd
}

// peAdd are the flags of pe add.
type peAdd struct {
	pePatch
	section, size, init string
}

// peAddReport is what pe add prints.
type peAddReport struct {
	File           string `json:"file"` // the result
	Size           int64  `json:"size"`
	Section        string `json:"section"`
	Flags          string `json:"flags"`
	Mapped         string `json:"mapped"`
	VirtualAddress uint32 `json:"virtual_address"`
	VirtualSize    uint32 `json:"virtual_size"`
	RawOffset      uint32 `json:"raw_offset"`
	RawSize        uint32 `json:"raw_size"`
	Stripped       bool   `json:"signature_stripped"`
}

func (a *peAdd) run(cmd *cobra.Command, path string) error {
	s, err := a.newSection(cmd)
	if err != nil {
		return err
	}
	r := peAddReport{File: path}
	if a.out != "" {
		r.File = a.out
	}
	err = a.apply(cmd, path, func(f *pe.File) (*pe.Patch, error) {
		r.Stripped = f.Directory(pe.DirSecurity) != (pe.Directory{})
		p, err := f.AddSection(s, a.options())
		if err != nil {
			return nil, err
		}
		changed, err := pe.New(p, p.Size())
		if err != nil {
			return nil, err
		}
		n := changed.Section(s.Name)
		r.Size, r.Section, r.Flags, r.Mapped = p.Size(), n.Name, n.Flags.String(), mapped(n.Flags)
		r.VirtualAddress, r.VirtualSize, r.RawOffset, r.RawSize = n.VirtualAddress, n.VirtualSize, n.RawOffset, n.RawSize
		return p, nil
	})
	switch {
	case errors.Is(err, pe.ErrSectionName):
		return &inputError{fmt.Errorf("--section %s: %w", a.section, err)}
	case err != nil:
		return err
	case a.asJSON:
		return printJSON(cmd.OutOrStdout(), r)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: section %s, %s, %s bytes at address %#x: %s%s\n",
		clean(r.File), clean(r.Section), r.Flags, grouped(uint64(r.VirtualSize)), r.VirtualAddress, r.Mapped, stripped(r.Stripped))
	return err
}

// newSection makes of the flags what is to be added.
func (a *peAdd) newSection(cmd *cobra.Command) (s pe.NewSection, err error) {
	given := cmd.Flags().Changed
	switch {
	case !given("section"):
		return s, usagef(cmd, "which section? --section Counter:rws is an example")
	case !given("size") && !given("init"):
		return s, usagef(cmd, "how large? --size 4096 is an example; --init FILE is as large as the file")
	}
	w, err := parseSectionFlags(cmd, a.section)
	if err != nil {
		return s, err
	}
	s.Name, s.Flags = w.name, w.flags
	if given("size") {
		if s.Size, err = parseSize(a.size); err != nil {
			return s, usagef(cmd, "--size %s: %w", a.size, err)
		}
	}
	if !given("init") {
		return s, nil
	}
	if a.init == "" {
		return s, usagef(cmd, "--init needs the name of a file")
	}
	info, err := os.Stat(a.init)
	switch {
	case err != nil:
		return s, err
	case !info.Mode().IsRegular():
		return s, fmt.Errorf("%s: not a regular file", a.init)
	case info.Size() == 0 && s.Size == 0:
		return s, &inputError{fmt.Errorf("--init %s: it is empty; --size says how large the section is to be", a.init)}
	case info.Size() > largestSection:
		return s, &inputError{fmt.Errorf("--init %s: it has %d bytes, and an image at most %d", a.init, info.Size(), largestSection)}
	case s.Size != 0 && info.Size() > s.Size:
		return s, &inputError{fmt.Errorf("--init %s: it has %d bytes, and --size is %d", a.init, info.Size(), s.Size)}
	}
	s.Init, err = os.ReadFile(a.init)
	return s, err
}

// largestSection is the largest image, in bytes.
const largestSection int64 = 1 << 31

// parseSize reads a number of bytes, such as 4096, 0x1000, 64K, 1M or 1G.
func parseSize(text string) (int64, error) {
	digits, unit := text, int64(1)
	if n := len(text) - 1; n > 0 {
		if i := strings.IndexByte("KMG", text[n]&^0x20); i >= 0 && !strings.HasPrefix(text, "0x") {
			digits, unit = text[:n], int64(1)<<(10*(i+1))
		}
	}
	n, err := strconv.ParseUint(digits, 0, 32)
	if err != nil || n == 0 || int64(n) > largestSection/unit {
		return 0, fmt.Errorf("1 to %d bytes are possible, written as 4096, 64K, 1M or 1G", largestSection)
	}
	return int64(n) * unit, nil
}
