package pe

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// A Finding is what an audit found.
type Finding struct {
	// RuleID is the [Rule]'s, such as "PW1001".
	RuleID string
	// Severity is the rule's, or a lesser one.
	Severity Severity
	// Section is the name of the section that it is about, or "". It is as in the
	// file: any bytes. Those in Message are quoted.
	Section string
	// Message is a sentence with the numbers.
	Message string
	// Offset and Length say where in the file the reason is, in bytes: the field of a
	// header that would have to be another. In a loaded image Offset is an address.
	Offset, Length int64
}

// AuditOptions say what an audit looks at. The zero value is what [Audit] uses.
type AuditOptions struct {
	// Checksum compares the checksum in the header, if there is one, with that of the
	// file, all of which it reads. A loaded image has none to compare.
	Checksum bool
}

// Audit looks for sections that are shared, and for what else makes an image less safe
// than it could be: see [Rules]. It reads nothing but the headers, which f has, unless a
// section is shared; then it reads the relocations and imports as well.
//
// The findings are in the order of their rules, and then of the sections. Of each rule
// there are at most 100, the last of which says how many more there would be. With an
// error, which wraps [ErrFormat] if a table is not as it must be, there are those that
// could be found nevertheless. That a file is not signed is no finding.
func Audit(f *File) ([]Finding, error) { return AuditOptions{}.Audit(f) }

// Audit looks for what the options say, as the function [Audit] does.
func (o AuditOptions) Audit(f *File) ([]Finding, error) {
	a := &auditor{f: f, of: map[string]*ruleFindings{}, names: map[string]int{}}
	a.sections()
	a.hardening()
	err := errors.Join(a.sharedRelocations(), a.sharedImports())
	if o.Checksum && !f.Mapped {
		err = errors.Join(err, a.checksum())
	}
	return a.findings(), err
}

// maxFindings is how many findings of one rule are kept.
const maxFindings = 100

type auditor struct {
	f     *File
	of    map[string]*ruleFindings
	names map[string]int // the index of the first section of a name

	// shared are the shared sections in the order of their addresses.
	shared []sharedSection
}

type ruleFindings struct {
	kept []Finding
	more int
}

// findings are those of all rules.
func (a *auditor) findings() []Finding {
	var all []Finding
	for _, r := range rules {
		of := a.of[r.ID]
		if of == nil {
			continue
		}
		if of.more > 0 {
			of.kept[len(of.kept)-1].Message += fmt.Sprintf("; and %d more findings of %s", of.more, r.ID)
		}
		all = append(all, of.kept...)
	}
	return all
}

// add keeps a finding. Its severity is the rule's, if it has none, and its message is made
// only if it is kept.
func (a *auditor) add(f Finding, format string, args ...any) {
	of := a.of[f.RuleID]
	if of == nil {
		of = &ruleFindings{}
		a.of[f.RuleID] = of
	}
	if len(of.kept) == maxFindings {
		of.more++
		return
	}
	f.Severity = cmp.Or(f.Severity, ruleOf(f.RuleID).Severity)
	f.Message = fmt.Sprintf(format, args...)
	of.kept = append(of.kept, f)
}

// Fields of a section header.
var (
	fieldName  = field{0, 8}
	fieldData  = field{16, 8} // SizeOfRawData and PointerToRawData
	fieldFlags = field{36, 4}
)

// A field is a part of a header, in bytes.
type field struct{ offset, length int64 }

// about begins a finding about a field of a section header.
func (a *auditor) about(id string, i int, at field) Finding {
	off := a.f.Offsets.SectionTable + int64(i)*sectionHeaderSize + at.offset
	return Finding{RuleID: id, Section: a.f.Sections[i].Name, Offset: off, Length: at.length}
}

// section says which section it is.
func (a *auditor) section(i int) string {
	s := &a.f.Sections[i]
	return fmt.Sprintf("section %d, %s, of %d bytes at address %#x", i+1, printable(s.Name), s.virtualSize(), s.VirtualAddress)
}

// hardening looks at what the linker says of the whole image. An EFI application is not
// loaded by Windows.
func (a *auditor) hardening() {
	o := &a.f.Optional
	const characteristics = 70 // DllCharacteristics
	about := func(id string) Finding {
		return Finding{RuleID: id, Offset: a.f.Offsets.Optional + characteristics, Length: 2}
	}
	has := fmt.Sprintf("DllCharacteristics is %#04x", o.DLLCharacteristics)
	lacks := func(bit uint16) bool { return o.DLLCharacteristics&bit == 0 }
	only := ""
	if a.f.Machine == ARM64 {
		only = "; Windows for ARM64 does not load it"
	}
	efi := o.Subsystem >= SubsystemEFIApplication && o.Subsystem <= subsystemEFIROM
	switch stripped := a.f.Characteristics&FileRelocsStripped != 0; {
	case efi:
	case lacks(DynamicBase):
		a.add(about(RuleNoDynamicBase), "%s, without DYNAMIC_BASE (%#04x): the image is always at %#x if that is free%s", has, DynamicBase, o.ImageBase, only)
	case stripped:
		finding := about(RuleNoDynamicBase)
		finding.Offset = a.f.Offsets.COFF + 18 // Characteristics
		a.add(finding, "Characteristics is %#04x, with RELOCS_STRIPPED (%#04x), so DYNAMIC_BASE has no effect: the image is always at %#x", a.f.Characteristics, FileRelocsStripped, o.ImageBase)
	}
	if lacks(NXCompat) {
		effect := "Windows may let a process of this program execute data"
		switch {
		case efi:
			effect = "firmware may let it execute data"
		case a.f.Characteristics&FileDLL != 0 && !o.Plus:
			effect = "a process has the protection if its program has the flag, but not every loader takes a library without"
		case o.Plus:
			effect = "a 64-bit process has the protection in any case"
		}
		a.add(about(RuleNoNXCompat), "%s, without NX_COMPAT (%#04x): %s%s", has, NXCompat, effect, only)
	}
	if o.Plus && !efi && lacks(HighEntropyVA) {
		a.add(about(RuleNoHighEntropyVA), "%s, without HIGH_ENTROPY_VA (%#04x): of the 64 bits of the image's address fewer are random", has, HighEntropyVA)
	}
}

// subsystemEFIROM is the last of those for EFI.
const subsystemEFIROM = 13

// checksum compares that of the header with that of the file.
func (a *auditor) checksum() error {
	says := a.f.Optional.CheckSum
	if says == 0 {
		return nil
	}
	is, err := a.f.ComputeChecksum()
	if err == nil && is != says {
		finding := Finding{RuleID: RuleWrongChecksum, Offset: a.f.Offsets.CheckSum, Length: 4}
		a.add(finding, "CheckSum is %#08x, and that of the %d bytes of the file is %#08x", says, a.f.Size, is)
	}
	return err
}

// byAddress sorts the shared sections by their addresses.
func (a *auditor) byAddress() {
	slices.SortStableFunc(a.shared, func(x, y sharedSection) int { return cmp.Compare(x.start, y.start) })
}
