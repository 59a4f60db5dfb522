package pe

import (
	"cmp"
	"slices"
)

// at finds the shared section that has one of the bytes from an address on, or nil. Where
// sections overlap, which loaders refuse, it is the one that begins later.
func (a *auditor) at(rva uint32, size uint64) *sharedSection {
	last := uint64(rva) + max(size, 1) - 1
	i, found := slices.BinarySearchFunc(a.shared, last, func(s sharedSection, address uint64) int { return cmp.Compare(s.start, address) })
	if !found {
		i--
	}
	if i < 0 || a.shared[i].end <= uint64(rva) {
		return nil
	}
	return &a.shared[i]
}

// relocationSize is how many bytes a relocation changes, at most.
func relocationSize(t RelocationType) uint64 {
	switch t {
	case RelocHigh, RelocLow, RelocHighAdj:
		return 2
	case RelocHighLow:
		return 4
	}
	return 8
}

// sharedRelocations looks for addresses of the image in shared sections.
func (a *auditor) sharedRelocations() (err error) {
	if len(a.shared) == 0 {
		return nil
	}
	for r, failure := range a.f.Relocations() {
		if err = failure; err != nil {
			break
		}
		if s := a.at(r.RVA, relocationSize(r.Type)); s != nil {
			s.relocations.add(r.RVA)
		}
	}
	for _, s := range a.shared {
		if s.relocations.n == 0 {
			continue
		}
		finding := a.about(RuleSharedRelocations, s.index, fieldFlags)
		finding.Severity = s.severity()
		a.add(finding, "%s is shared and holds %d addresses that the loader adjusts, the lowest at %#x: they are right in one process only", a.section(s.index), s.relocations.n, s.relocations.first)
	}
	return err
}

// sharedImports looks for addresses of other libraries in shared sections.
func (a *auditor) sharedImports() error {
	if len(a.shared) == 0 {
		return nil
	}
	size := uint64(4)
	if a.f.Optional.Plus {
		size = 8
	}
	imports, err := a.f.Imports()
	for _, library := range imports {
		for _, symbol := range library.Symbols {
			if s := a.at(symbol.Slot, size); s != nil {
				s.slots.add(symbol.Slot)
			}
		}
	}
	for _, s := range a.shared {
		if s.slots.n == 0 {
			continue
		}
		finding := a.about(RuleSharedImports, s.index, fieldFlags)
		finding.Severity = s.severity()
		a.add(finding, "%s is shared and holds the addresses of %d imported symbols, the lowest at %#x: one process's are not another's", a.section(s.index), s.slots.n, s.slots.first)
	}
	return err
}

// tables are the data directories that a loader or the system trusts. The attribute
// certificates are not in memory, and the imports' addresses have a rule of their own.
var tables = map[int]string{
	DirExport: "the export directory", DirImport: "the import directory", DirResource: "the resources", DirException: "the exception table",
	DirBaseReloc: "the base relocations", DirTLS: "the directory of thread-local storage", DirLoadConfig: "the load configuration",
	DirIAT: "the import address table", DirDelayImport: "the delay-load import directory", DirCLR: "the header of the .NET assembly",
}

// sharedDirectories looks for such tables in shared sections that are writable.
func (a *auditor) sharedDirectories() {
	for i, d := range a.f.Directories {
		what, ok := tables[i]
		if !ok || d.Address == 0 || len(a.shared) == 0 {
			continue
		}
		s := a.at(d.Address, uint64(d.Size))
		if s == nil || !s.writable {
			continue
		}
		finding := a.about(RuleSharedDirectory, s.index, fieldFlags)
		finding.Offset, finding.Length = a.f.Offsets.Directories+int64(i)*directorySize, directorySize
		a.add(finding, "%s is shared and writable and holds %s, %d bytes at address %#x", a.section(s.index), what, d.Size, d.Address)
	}
}
