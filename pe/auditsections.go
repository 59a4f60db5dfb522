package pe

import "math"

// sections looks at the section headers.
func (a *auditor) sections() {
	for i := range a.f.Sections {
		a.memory(i)
		a.name(i)
		a.data(i)
	}
	a.byAddress()
	a.sharedDirectories()
}

// memory looks at what may be done with a section's memory.
func (a *auditor) memory(i int) {
	s := &a.f.Sections[i]
	if s.Flags.Has(Write | Execute) {
		a.add(a.about(RuleWritableExecutable, i, fieldFlags), "%s is writable and executable (%s): what is written there can be run", a.section(i), s.Flags)
	}
	if !s.Flags.Has(Shared) {
		return
	}
	a.shared = append(a.shared, newShared(i, s))
	if !s.Flags.Has(Write) {
		a.add(a.about(RuleReadOnlyShared, i, fieldFlags), "%s is shared and not writable (%s): processes share it as they do all that none of them writes", a.section(i), s.Flags)
		return
	}
	a.add(a.about(RuleWritableShared, i, fieldFlags), "%s is shared and writable (%s): every process that may load the file can change it under all others", a.section(i), s.Flags)
	lacks := ""
	switch {
	case s.RawSize == 0 || s.RawOffset == 0:
		lacks = "no data in the file"
	case s.Flags.Has(Uninitialised):
		lacks = "the flag for uninitialised data (0x80)"
	case !s.Flags.Has(Initialised) && !s.Flags.Has(Code):
		lacks = "no flag for initialised data (0x40)"
	default:
		return
	}
	a.add(a.about(RuleSharedWithoutData, i, fieldData), "%s is shared and has %s (SizeOfRawData %d at offset %#x, flags %#08x): variables without an initial value are not shared", a.section(i), lacks, s.RawSize, s.RawOffset, uint32(s.Flags))
}

// reserved are the names that linkers use and the flags that such sections do not have. All
// are taken for writable by one linker or another, but for the code and what the loader
// reads and nobody writes.
var reserved = map[string]SectionFlags{
	".text": Write, ".edata": Write | Execute, ".pdata": Write | Execute, ".xdata": Write | Execute, ".rdata": Write | Execute,
	".arch": Execute, ".bss": Execute, ".CRT": Execute, ".data": Execute, ".didat": Execute, ".didata": Execute, ".idata": Execute,
	".reloc": Execute, ".rsrc": Execute, ".sbss": Execute, ".sdata": Execute, ".srdata": Execute, ".tls": Execute,
}

// name looks at a section's name, which is reserved or another's.
func (a *auditor) name(i int) {
	s := &a.f.Sections[i]
	never, ok := reserved[s.Name]
	if has := s.Flags & (never | Shared); ok && has != 0 && (has != Shared || s.Flags.Has(Write)) {
		a.add(a.about(RuleReservedName, i, fieldFlags), "%s has a name that linkers use for themselves and the flags %s; such a section never has %s", a.section(i), s.Flags, has)
	}
	first, seen := a.names[s.Name]
	if !seen {
		a.names[s.Name] = i
		return
	}
	a.add(a.about(RuleDuplicateName, i, fieldName), "%s has the name of section %d at address %#x", a.section(i), first+1, a.f.Sections[first].VirtualAddress)
}

// data looks for data that is not in the file.
func (a *auditor) data(i int) {
	s := &a.f.Sections[i]
	end := int64(s.RawOffset) + int64(s.RawSize)
	if a.f.Mapped || s.RawSize == 0 || s.RawOffset == 0 || end <= a.f.Size {
		return
	}
	a.add(a.about(RuleTruncatedSection, i, fieldData), "%s has %d bytes of data at offset %#x, and the file ends %d bytes too early, at %#x", a.section(i), s.RawSize, s.RawOffset, end-a.f.Size, a.f.Size)
}

// A sharedSection is where a shared section is in memory: all of its pages.
type sharedSection struct {
	index      int // in the section table
	start, end uint64
	writable   bool

	relocations, slots hits
}

// hits counts the places in a section.
type hits struct {
	n     int
	first uint32 // the lowest address
}

func (h *hits) add(rva uint32) {
	if h.n == 0 || rva < h.first {
		h.first = rva
	}
	h.n++
}

func newShared(i int, s *Section) sharedSection {
	return sharedSection{
		index: i, start: uint64(s.VirtualAddress), writable: s.Flags.Has(Write),
		end: min(roundUp(uint64(s.VirtualAddress)+uint64(s.virtualSize()), pageSize), math.MaxUint32+1),
	}
}

// severity of what the loader writes, or others may not.
func (s *sharedSection) severity() Severity {
	if s.writable {
		return 0 // the rule's
	}
	return SeverityWarning
}
