package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/examples/outfile"
	"github.com/partywall/partywall/pe"
)

func newPeDLL() *cobra.Command {
	var d peDLL
	cmd := &cobra.Command{
		Use:   "dll OUT.dll --var SECTION:NAME:TYPE...",
		Short: "Make a DLL of variables that processes share",
		Long: `Make a DLL without a compiler and without a linker, on any system: variables in shared
sections, and functions that read and set them. Every process that loads it has the
same variables. The same command makes the same bytes.

A variable is SECTION:NAME:TYPE[=INITIAL][:GETTER[:SETTER]]:

  SECTION  its section, in at most 8 characters; variables may have the same
  NAME     exported as the variable's address
  TYPE     int8 to int64, uint8 to uint64, float32, float64, [N]TYPE for an array,
           bytes[N] for N bytes
  INITIAL  a number; for an array, numbers with commas, 0x and hexadecimal bytes, or a
           text in double quotes; otherwise it is zero
  GETTER   the function that returns it; that of an array returns its address, and
           NAME_size its size
  SETTER   the function that sets it; an array has none

The functions follow C's calling convention. With --forward, the DLL also exports a name
that stands for another DLL's function.

What is in the file for the variables are the initial values: what processes write
is gone with the last of them. Whoever may open the file can write to them: docs/PE.md
says when not to use them.`,
		Example: `  partywall pe dll SectionDLL.dll \
      --var SectionA:shareDataA:int32=0:getDataA:setDataA \
      --var SectionB:shareDataB:int32=0:getDataB:setDataB
  partywall pe dll limits.dll --arch arm64 --var 'Limits:limits:[3]float64=0.5,1,2:getLimits'
  partywall pe dll random.dll --forward ProcessPrng=advapi32.SystemFunction036`,
		Args:              oneFile("OUT.dll"),
		RunE:              func(cmd *cobra.Command, args []string) error { return d.run(cmd, args[0]) },
		ValidArgsFunction: completeOneFile,
	}
	f := cmd.Flags()
	f.StringVar(&d.arch, "arch", "amd64", "the `machine`: amd64, arm64 or 386")
	f.StringArrayVar(&d.vars, "var", nil, "a `variable`, SECTION:NAME:TYPE[=INITIAL][:GETTER[:SETTER]]")
	f.StringArrayVar(&d.forwards, "forward", nil, "a `name` for another DLL's function, NAME=DLL.SYMBOL")
	jsonFlag(cmd, &d.asJSON)
	completeFlag(cmd, "arch", cobra.FixedCompletions([]cobra.Completion{"amd64", "arm64", "386"}, cobra.ShellCompDirectiveNoFileComp))
	completeFlag(cmd, "var", cobra.NoFileCompletions)
	completeFlag(cmd, "forward", cobra.NoFileCompletions)
	return cmd
}

// peDLL are the flags of pe dll.
type peDLL struct {
	arch           string
	vars, forwards []string
	asJSON         bool
}

// peDLLReport is what pe dll prints.
type peDLLReport struct {
	File      string   `json:"file"`
	Size      int      `json:"size"`
	Machine   string   `json:"machine"`
	Sections  []string `json:"sections"` // those that are shared
	Variables int      `json:"variables"`
	Forwards  int      `json:"forwards"`
	Exports   int      `json:"exports"`
}

var machines = []pe.Machine{pe.AMD64, pe.ARM64, pe.I386}

func (d *peDLL) run(cmd *cobra.Command, out string) error {
	dll, err := d.dll(cmd, out)
	if err != nil {
		return err
	}
	if err := replaceable(out); err != nil {
		return err
	}
	var image bytes.Buffer
	if _, err := dll.WriteTo(&image); err != nil {
		return plainPE(err)
	}
	err = outfile.Write(cmd.Context(), out, func(w io.Writer) error {
		_, err := w.Write(image.Bytes())
		return err
	})
	if err != nil {
		return err
	}
	made, err := pe.New(bytes.NewReader(image.Bytes()), int64(image.Len()))
	if err != nil {
		return plainPE(err)
	}
	exports, err := made.Exports()
	if err != nil {
		return plainPE(err)
	}
	r := peDLLReport{
		File: out, Size: image.Len(), Machine: made.Machine.String(), Sections: []string{},
		Variables: len(dll.Vars), Forwards: len(dll.Forwards), Exports: len(exports.Symbols),
	}
	for _, s := range made.Sections {
		if s.Flags.Has(pe.Shared) {
			r.Sections = append(r.Sections, s.Name)
		}
	}
	if d.asJSON {
		return printJSON(cmd.OutOrStdout(), r)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, %s bytes, %s%s, %s\n", clean(r.File), r.Machine, grouped(uint64(r.Size)),
		counted(r.Variables, "variable"), in(r.Sections), counted(r.Exports, "export"))
	return err
}

func in(sections []string) string {
	if len(sections) == 0 {
		return ""
	}
	if len(sections) > 8 {
		return fmt.Sprintf(" in %d shared sections", len(sections))
	}
	return " in shared " + strings.Join(sections, ", ")
}

// dll makes of the flags what is to be made.
func (d *peDLL) dll(cmd *cobra.Command, out string) (*pe.DLL, error) {
	dll := &pe.DLL{Name: filepath.Base(out)}
	i := slices.IndexFunc(machines, func(m pe.Machine) bool { return m.String() == d.arch })
	if i < 0 {
		return nil, usagef(cmd, "--arch %s: amd64, arm64 and 386 are possible", d.arch)
	}
	dll.Machine = machines[i]
	if len(d.vars)+len(d.forwards) == 0 {
		return nil, usagef(cmd, "which variables? --var SectionA:shareDataA:int32=0:getDataA:setDataA is an example")
	}
	for _, text := range d.vars {
		v, err := pe.ParseVar(text)
		if err != nil {
			return nil, &inputError{fmt.Errorf("--var: %w", plainPE(err))}
		}
		dll.Vars = append(dll.Vars, v)
	}
	for _, text := range d.forwards {
		name, target, ok := strings.Cut(text, "=")
		if !ok {
			return nil, &inputError{fmt.Errorf("--forward %q: NAME=DLL.SYMBOL is needed, such as ProcessPrng=advapi32.SystemFunction036", text)}
		}
		dll.Forwards = append(dll.Forwards, pe.Forward{Name: name, Target: target})
	}
	if err := dll.Check(); err != nil {
		return nil, &inputError{plainPE(err)}
	}
	return dll, nil
}
