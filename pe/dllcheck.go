package pe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/partywall/partywall"
)

const (
	// maxDLLData is the size of all variables, in bytes. The file is made in memory.
	maxDLLData = 256 << 20
	// maxSections is Windows' limit ("PE Format", COFF file header).
	maxSections = 96
	// maxDLLExports: ordinals have 16 bits.
	maxDLLExports = 1<<16 - 1
	// maxExportName is the length that Microsoft's linker gives decorated names.
	maxExportName = 4095
	// maxSectionName is the room in a section header.
	maxSectionName = 8
)

// reservedSections are those that compilers and linkers give a meaning of their own
// ("PE Format", special sections; the .debug ones are known by their prefix).
var reservedSections = []string{
	".arch", ".bss", ".CRT", ".data", ".didata", ".edata", ".idata", ".pdata", ".rdata", ".reloc", ".rsrc",
	".sbss", ".sdata", ".srdata", ".text", ".tls", ".xdata",
}

// Check reports what keeps the DLL from being made. The error names the variable and
// the field, and wraps [partywall.ErrTooLarge] if a limit is exceeded:
//
//   - the variables have 256 MiB altogether,
//   - there are 96 sections, with three of the DLL's own,
//   - there are 65,535 exports.
func (d *DLL) Check() error {
	if err := d.check(); err != nil {
		return fmt.Errorf("pe: DLL %q: %w", d.Name, err)
	}
	return nil
}

func (d *DLL) check() error {
	if err := checkDLLName(d.Name); err != nil {
		return inField("Name", err)
	}
	if _, ok := architectures[d.machine()]; !ok {
		return inField("Machine", fmt.Errorf("there are no accessors for %#x; there are for AMD64, ARM64 and 386", uint16(d.Machine)))
	}
	if len(d.Vars)+len(d.Forwards) == 0 {
		return fmt.Errorf("it has neither Vars nor Forwards")
	}
	exports := exportOwners{}
	sections := map[string]*Var{}
	var total uint64
	for i := range d.Vars {
		v := &d.Vars[i]
		if err := v.check(exports); err != nil {
			return fmt.Errorf("variable %q: %w", v.where(), err)
		}
		first := sections[v.Section]
		if first == nil {
			sections[v.Section] = v
		} else if first.Private != v.Private {
			return fmt.Errorf("variable %q: Private: the variable %q of the same section is shared, or private, where this one is not",
				v.where(), first.where())
		}
		if total += roundUp(v.size(), arrayAlignment); total > maxDLLData {
			return fmt.Errorf("variable %q: Count: %w: with this one the variables have more than %d bytes",
				v.where(), partywall.ErrTooLarge, maxDLLData)
		}
	}
	for _, f := range d.Forwards {
		if err := f.check(d.Name, exports); err != nil {
			return fmt.Errorf("forward %q: %w", f.Name, err)
		}
	}
	if own := 3; len(sections) > maxSections-own { // .text, .edata, .reloc
		return fmt.Errorf("%w: %d sections; Windows allows %d, and %d are the DLL's own", partywall.ErrTooLarge, len(sections), maxSections, own)
	}
	if len(exports) > maxDLLExports {
		return fmt.Errorf("%w: %d exports; there are ordinals for %d", partywall.ErrTooLarge, len(exports), maxDLLExports)
	}
	return nil
}

// inField says which field the error is about.
func inField(field string, err error) error { return fmt.Errorf("%s: %w", field, err) }

// where names the variable in errors.
func (v *Var) where() string { return v.Section + ":" + v.Name }

func (v *Var) check(exports exportOwners) error {
	if err := checkSectionName(v.Section); err != nil {
		return inField("Section", err)
	}
	if err := exports.add(v.Name, "the variable"); err != nil {
		return inField("Name", err)
	}
	if v.Type.Size() == 0 {
		return inField("Type", fmt.Errorf("%q is none; there are %s", v.Type, typeNames()))
	}
	if v.Count < 0 {
		return inField("Count", fmt.Errorf("%d is negative", v.Count))
	}
	if v.Count > maxDLLData/v.Type.Size() {
		return inField("Count", fmt.Errorf("%w: %d elements of %d bytes are more than %d bytes", partywall.ErrTooLarge, v.Count, v.Type.Size(), maxDLLData))
	}
	if uint64(len(v.Initial)) > v.size() {
		return inField("Initial", fmt.Errorf("it has %d bytes, the variable %d", len(v.Initial), v.size()))
	}
	if v.Getter != "" {
		if err := exports.add(v.Getter, "the getter of "+v.where()); err != nil {
			return inField("Getter", err)
		}
	}
	if v.Count > 0 {
		if v.Setter != "" {
			return inField("Setter", fmt.Errorf("an array has none; write to the address that its getter returns"))
		}
		if err := exports.add(v.sizeName(), "the size of "+v.where()); err != nil {
			return inField("Name", err)
		}
	}
	if v.Setter != "" {
		if err := exports.add(v.Setter, "the setter of "+v.where()); err != nil {
			return inField("Setter", err)
		}
	}
	return nil
}

func (f Forward) check(dll string, exports exportOwners) error {
	if err := exports.add(f.Name, "a forward"); err != nil {
		return inField("Name", err)
	}
	i := strings.LastIndexByte(f.Target, '.')
	if i <= 0 || i == len(f.Target)-1 {
		return inField("Target", fmt.Errorf("%q is not DLL.NAME", f.Target))
	}
	if err := checkExportName(f.Target); err != nil {
		return inField("Target", err)
	}
	library, symbol := f.Target[:i], f.Target[i+1:]
	if strings.HasSuffix(strings.ToLower(library), ".dll") {
		return inField("Target", fmt.Errorf("%q: the library stands there without .dll", f.Target))
	}
	if number, ok := strings.CutPrefix(symbol, "#"); ok {
		if n, err := strconv.ParseUint(number, 10, 16); err != nil || n == 0 {
			return inField("Target", fmt.Errorf("%q: an ordinal is a number from 1 to 65535", f.Target))
		}
	}
	own := strings.TrimSuffix(strings.ToLower(dll), ".dll")
	if symbol == f.Name && strings.ToLower(library) == own {
		return inField("Target", fmt.Errorf("%q is this forward itself", f.Target))
	}
	return nil
}

// exportOwners says for each export what it is.
type exportOwners map[string]string

func (e exportOwners) add(name, what string) error {
	if err := checkExportName(name); err != nil {
		return err
	}
	if other, ok := e[name]; ok {
		return fmt.Errorf("%q is exported already, as %s", name, other)
	}
	e[name] = what
	return nil
}

func checkExportName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("it is empty")
	case len(name) > maxExportName:
		return fmt.Errorf("%w: it has %d bytes, at most %d", partywall.ErrTooLarge, len(name), maxExportName)
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("%q: names are printable ASCII without blanks", name)
	}
	return nil
}

func checkSectionName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("it is empty")
	case len(name) > maxSectionName:
		return fmt.Errorf("%q has %d bytes; there is room for %d", name, len(name), maxSectionName)
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("%q: names are printable ASCII without blanks", name)
	case name[0] == '/':
		return fmt.Errorf("%q: a name that begins with / is a place in the string table", name)
	case strings.HasPrefix(name, ".debug"):
		return fmt.Errorf("%q is reserved: linkers and debuggers use .debug*", name)
	case slices.Contains(reservedSections, name):
		return fmt.Errorf("%q is reserved: linkers and the loader use it themselves", name)
	}
	return nil
}

func checkDLLName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("it is empty")
	case strings.ContainsAny(name, `\/:*?"<>|`):
		return fmt.Errorf(`it may not have \ / : * ? " < > |`)
	case len(name) > 255:
		return fmt.Errorf("%w: it has %d bytes, at most 255", partywall.ErrTooLarge, len(name))
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }):
		return fmt.Errorf("it has to be printable ASCII")
	}
	return nil
}
