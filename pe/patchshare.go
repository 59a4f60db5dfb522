package pe

import (
	"fmt"
	"slices"
	"strings"
)

// unshareable says why a section is not shared.
func unshareable(name, format string, args ...any) error {
	return fmt.Errorf("%w: section %s: %s", ErrUnshareable, printable(name), fmt.Sprintf(format, args...))
}

// checkSharedFlags refuses flags that no shared section may have.
func checkSharedFlags(name string, flags SectionFlags) error {
	switch {
	case !flags.Has(Shared):
		return nil
	case flags.Has(Write | Execute):
		return unshareable(name, "what is writable, executable and shared lets every process run code in every other; leave one out")
	case !flags.Has(Read):
		return unshareable(name, "what is shared has to be readable")
	}
	return nil
}

// shareable refuses sections whose memory must not be shared, or that Windows does not
// share. The section has the flags that it is to have.
func (f *File) shareable(s *Section, force bool) error {
	if err := checkSharedFlags(s.Name, s.Flags); err != nil {
		return err
	}
	if s.RawSize == 0 || s.RawOffset == 0 || s.Flags.Has(Uninitialised) {
		return unshareable(s.Name, "its data is uninitialised: there is none in the file; initialise the variables, even with zeros, and link again")
	}
	if f.Optional.SectionAlignment < pageSize || s.VirtualAddress%pageSize != 0 {
		return unshareable(s.Name, "at address %#x it has no pages of its own", s.VirtualAddress)
	}
	if err := f.notDotNet(s.Name); err != nil {
		return err
	}
	if force {
		return nil
	}
	if isReserved(s.Name) {
		return unshareable(s.Name, "linkers use the name themselves, and their runtimes keep pointers there; give the variables a section of their own")
	}
	if mapped := roundUp(uint64(s.virtualSize()), pageSize); mapped > roundUp(uint64(s.RawSize), pageSize) {
		return unshareable(s.Name, "it has %d bytes in memory and %d in the file; initialise all of its variables, and link again", s.virtualSize(), s.RawSize)
	}
	return f.plain(s)
}

// notDotNet refuses shared sections in a .NET assembly: its runtime does not load one that has
// any, and a change makes its strong name invalid.
func (f *File) notDotNet(name string) error {
	if f.Directory(DirCLR).Address != 0 {
		return unshareable(name, "this is a .NET assembly, which .NET does not load with a shared section")
	}
	return nil
}

func isReserved(section string) bool {
	return slices.Contains(reservedSections, section) || strings.HasPrefix(section, ".debug")
}

// plain refuses a section that the loader reads or writes.
func (f *File) plain(s *Section) error {
	start := uint64(s.VirtualAddress)
	end := start + roundUp(uint64(s.virtualSize()), pageSize)
	meets := func(rva uint32, size uint64) bool { return uint64(rva) < end && uint64(rva)+size > start }
	if e := f.Optional.EntryPoint; e != 0 && meets(e, 1) {
		return unshareable(s.Name, "the program begins there, at address %#x", e)
	}
	for i, d := range f.Directories {
		if i != DirSecurity && d.Address != 0 && meets(d.Address, max(1, uint64(d.Size))) {
			return unshareable(s.Name, "%s is there, at address %#x", directoryName(i), d.Address)
		}
	}
	for r, err := range f.Relocations() {
		if err != nil {
			return unshareable(s.Name, "whether it holds addresses cannot be told: %v", err)
		}
		if meets(r.RVA, r.Type.size()) {
			return unshareable(s.Name, "it holds an address, at address %#x, which the loader changes in every process; "+
				"a shared section cannot hold pointers", r.RVA)
		}
	}
	imports, err := f.Imports()
	if err != nil {
		return unshareable(s.Name, "whether it holds addresses cannot be told: %v", err)
	}
	for _, library := range imports {
		for _, symbol := range library.Symbols {
			if meets(symbol.Slot, 8) {
				return unshareable(s.Name, "the loader writes addresses of %s there, at address %#x", printable(library.DLL), symbol.Slot)
			}
		}
	}
	return nil
}

// size is how many bytes at most the loader changes.
func (t RelocationType) size() uint64 {
	switch t {
	case RelocHigh, RelocLow, RelocHighAdj:
		return 2
	case RelocHighLow:
		return 4
	}
	return 8
}

var directoryNames = [maxDirectories]string{
	DirExport:       "the export directory",
	DirImport:       "the import directory",
	DirResource:     "the resource directory",
	DirException:    "the exception directory",
	DirSecurity:     "the signature",
	DirBaseReloc:    "the directory of base relocations",
	DirDebug:        "the debug directory",
	DirArchitecture: "the architecture directory",
	DirGlobalPtr:    "the global pointer",
	DirTLS:          "the directory of thread-local storage",
	DirLoadConfig:   "the load configuration",
	DirBoundImport:  "the directory of bound imports",
	DirIAT:          "the import address table",
	DirDelayImport:  "the directory of delayed imports",
	DirCLR:          "the .NET header",
}

// directoryName names a data directory in errors.
func directoryName(index int) string {
	if name := directoryNames[index]; name != "" {
		return name
	}
	return fmt.Sprintf("data directory %d", index)
}
