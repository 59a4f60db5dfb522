package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/section"
)

// sectionSetter is one run of section set.
type sectionSetter struct {
	place        sectionPlace
	name         string
	args         []string
	create, keep bool
	maxSize      byteCount
	file         string // or "-", as the argument "-" is
	stdin        bool
	asJSON       bool

	made   bool          // by this command
	change sectionChange // what the arguments ask for
	types  []string      // what they give types for
	form   string        // of the section
}

func newSectionSet() *cobra.Command {
	var s sectionSetter
	cmd := &cobra.Command{
		Use:   "set NAME [FIELD=VALUE...|JSON|-]",
		Short: "Change fields of a section, or its whole value",
		Long: `Change fields of a section. All others stay as they are, bit by bit, and readers see
all changes at once. A text needs no quotation marks, everything else is JSON: numbers,
true, [1, 2], {"X": 1}. Or store a whole value: as JSON, in which what is left out is
zero; or from a file or, with "-", from standard input, for sections of bytes as it
is. A value that begins with a minus sign stands behind "--".

With --create, make the section if there is none. Then fields have types:

  n:uint32=1  pos.x:float64=0.5  name:[32]uint8=left  on:bool

Types are bool, int8 to int64, uint8 to uint64, float32, float64, complex64, complex128
and arrays of those. Without fields, --file or "-" makes a section of bytes. Programs
find the fields by these names: a Go struct that shares them with n:uint32 would
have to have a field n, and one with N should be written to as N. An existing section
is joined, and gets the fields that it lacks.

A section would end with this command, so one that it makes is kept until "partywall
section rm"; --keep=false has it end, which makes sense with --stdin.

With --stdin, each line of standard input is a set of changes: FIELD=VALUE after another,
with quotation marks around what has blanks, or JSON. One process then stores as many
versions as it likes, as fast as the lines come.`,
		Example: `  partywall section set plant/line1 Temperature=20.5 Name=left
  partywall section set demo/x n:uint32=1 --create
  partywall section set demo/x '{"n": 7}'
  partywall section set demo/file --file image.png --create --max-size 16MiB
  for i in $(seq 1000); do echo n=$i; sleep 0.01; done | partywall section set demo/x --stdin`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(cmd, "a section is needed ('partywall section ls' lists them)")
			}
			return checkSectionName(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s.name, s.args = args[0], args[1:]
			if err := s.parse(cmd); err != nil {
				return err
			}
			return s.place.explain(s.name, s.run(cmd))
		},
	}
	complete := completeSection(&s.place, offerAssignments)
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		offers, directive := complete(cmd, args, typed)
		if len(args) > 0 {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		return offers, directive
	}
	f := cmd.Flags()
	f.BoolVar(&s.create, "create", false, "make the section if there is none, of fields with types")
	f.BoolVar(&s.keep, "keep", false, "have the section stay when all processes have closed it (one that --create makes is kept anyway)")
	f.Var(&s.maxSize, "max-size", "how many `bytes` a value without a fixed layout may have, such as 64MiB")
	f.StringVar(&s.file, "file", "", "the whole value is in this `file`")
	f.BoolVar(&s.stdin, "stdin", false, "store what the lines of standard input say, one after the other")
	jsonFlag(cmd, &s.asJSON)
	s.place.flags(cmd)
	completeFlag(cmd, "file", completeFiles)
	completeFlag(cmd, "max-size", cobra.NoFileCompletions)
	return cmd
}

func offerAssignments(i *section.Info, typed []string) (offers []string) {
	for _, f := range i.Fields() {
		if !assigned(typed, f.Path) {
			offers = append(offers, cobra.CompletionWithDesc(f.Path+"=", clean(f.Signature)))
		}
	}
	return offers
}

// parse finds out what cannot go well before anything is done.
func (s *sectionSetter) parse(cmd *cobra.Command) (err error) {
	if cmd.Flags().Changed("file") && s.file == "" {
		return usagef(cmd, "--file needs the name of a file")
	}
	if len(s.args) == 1 && s.args[0] == "-" {
		if s.file != "" {
			return usagef(cmd, "--file and \"-\" are both the whole value")
		}
		s.file, s.args = "-", nil
	}
	if s.stdin && s.file != "" {
		return usagef(cmd, "--stdin and a whole value from %s do not go together", s.file)
	}
	if s.file != "" && len(s.args) > 0 {
		return usagef(cmd, "%q is too much: %s is the whole value", s.args[0], s.file)
	}
	if s.change, s.types, err = parseChange(s.args, s.create); err != nil {
		return usagef(cmd, "%w", err)
	}
	if len(s.args) == 0 && s.file == "" && !s.stdin {
		return usagef(cmd, "nothing to store: FIELD=VALUE, JSON, \"-\", --file or --stdin is needed")
	}
	return nil
}

func (s *sectionSetter) run(cmd *cobra.Command) error {
	var data []byte
	var err error
	if s.file != "" { // before there is a section
		if data, err = s.whole(cmd); err != nil {
			return err
		}
	}
	d, err := s.open(len(data))
	if err != nil {
		return err
	}
	defer d.Close()
	s.form = d.Form()
	version, err := s.store(cmd.Context(), d, data)
	if err == nil && (s.keep || s.made && !cmd.Flags().Changed("keep")) {
		err = s.keepIt()
	}
	if err == nil && s.stdin {
		version, err = s.lines(cmd, d, version)
	}
	if err != nil {
		return err
	}
	if err := d.Close(); err != nil {
		return err
	}
	if s.asJSON {
		return printJSON(cmd.OutOrStdout(), storedReport{s.name, version})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "version %d\n", version)
	return err
}

// storedReport is what section set prints with --json.
type storedReport struct {
	Section string `json:"section"`
	Version uint64 `json:"version"`
}

// keepIt has the section stay, now that it has a value.
func (s *sectionSetter) keepIt() error {
	d, err := section.OpenDynamic(s.name, s.place.options(section.MustExist(), section.Keep())...)
	if err != nil {
		return err
	}
	return d.Close()
}

// open joins the section, or makes it with room for some bytes.
func (s *sectionSetter) open(bytes int) (*section.Dynamic, error) {
	options := s.place.options()
	if s.maxSize > 0 {
		options = append(options, section.MaxSize(int(min(int64(s.maxSize), math.MaxInt))))
	}
	options = slices.Clip(options) // what is appended is so to copies
	if !s.create {
		return section.OpenDynamic(s.name, append(options, section.MustExist())...)
	}
	holds := options
	switch {
	case len(s.types) > 0:
		holds = append(holds, section.Holds(s.types...))
	case s.file != "":
		holds = append(holds, section.Holds("bytes"))
		if s.maxSize == 0 {
			holds = append(holds, section.MaxSize(max(bytes, section.DefaultMaxSize)))
		}
	}
	holds = slices.Clip(holds)
	for {
		join := options
		if len(s.types) > 0 { // for fields that it lacks
			join = holds
		}
		d, err := section.OpenDynamic(s.name, append(join, section.MustExist())...)
		if !errors.Is(err, partywall.ErrNotFound) {
			return d, err
		}
		if len(s.types) == 0 && s.file == "" {
			return nil, &inputError{fmt.Errorf("section %q: there is none, and --create has to know what it is to hold: fields with types, such as n:uint32=1, or --file", s.name)}
		}
		if d, err = section.OpenDynamic(s.name, append(holds, section.MustCreate())...); !errors.Is(err, os.ErrExist) {
			s.made = err == nil
			return d, err
		}
	}
}

// store stores what the arguments say, and returns the version that there is then.
func (s *sectionSetter) store(ctx context.Context, d *section.Dynamic, data []byte) (version uint64, err error) {
	if s.file == "" {
		return s.change.store(ctx, d)
	}
	if s.form == "bytes" {
		return d.StoreBytes(data)
	}
	return d.StoreJSON(data)
}

// setPatience bounds what each change waits for other processes.
const setPatience = section.Patience

// store stores a change, and returns the version that there is then.
func (c *sectionChange) store(ctx context.Context, d *section.Dynamic) (uint64, error) {
	switch {
	case c.whole != nil:
		return d.StoreJSON(c.whole)
	case len(c.fields) == 0:
		_, version, err := d.LoadJSON("")
		return version, err
	}
	var settings []section.Setting
	for _, a := range c.fields {
		f, err := d.Field(a.path)
		if err != nil && strings.Contains(a.path, ":") {
			err = fmt.Errorf("%w; types belong to --create", err)
		}
		if err != nil {
			return 0, err
		}
		text, err := jsonOf(f.Signature, a.value)
		if err != nil {
			return 0, &inputError{fmt.Errorf("%s: %w", a.path, err)}
		}
		settings = append(settings, section.Setting{Field: a.path, JSON: text})
	}
	ctx, cancel := context.WithTimeoutCause(ctx, setPatience, os.ErrDeadlineExceeded)
	defer cancel()
	return d.SetJSON(ctx, settings...)
}
