package main

import (
	"strings"

	"github.com/partywall/partywall/pe"
)

// mapped says what a process that writes to the section does to others.
func mapped(f pe.SectionFlags) string {
	switch {
	case f.Has(pe.Shared | pe.Write):
		return "shared"
	case f.Has(pe.Write):
		return "copy-on-write"
	case f.Has(pe.Shared):
		return "shared, read only"
	}
	return "read only"
}

// meanings are what linkers mean by a name.
var meanings = map[string]string{
	".arch":   "code, of old linkers",
	".bss":    "uninitialised data",
	".CRT":    "read-only data of the C runtime",
	".data":   "initialised data",
	".didata": "delayed imports",
	".edata":  "exports",
	".idata":  "imports",
	".pdata":  "table of functions, for exceptions",
	".rdata":  "read-only initialised data",
	".reloc":  "base relocations",
	".rsrc":   "resources",
	".sbss":   "small uninitialised data",
	".sdata":  "small initialised data",
	".srdata": "small read-only data",
	".text":   "code",
	".tls":    "thread-local storage",
	".xdata":  "exception handling",
}

func meaning(s *pe.Section) string {
	if text, ok := meanings[s.Name]; ok {
		return text
	}
	switch f := s.Flags; {
	case strings.HasPrefix(s.Name, ".debug"), strings.HasPrefix(s.Name, ".zdebug"):
		return "debug information"
	case f.Has(pe.Shared | pe.Write):
		return "its own: data that processes share"
	case f&(pe.Execute|pe.Code) != 0:
		return "its own: code"
	case f.Has(pe.Uninitialised):
		return "its own: uninitialised data"
	case f.Has(pe.Write):
		return "its own: data"
	}
	return "its own: read-only data"
}

// A bitWord is what a bit of a header says.
type bitWord struct {
	bit  uint16
	text string
}

var fileWords = []bitWord{
	{pe.FileRelocsStripped, "no relocations"}, {pe.FileExecutableImage, "executable image"},
	{0x4, "no line numbers"}, {0x8, "no local symbols"}, {pe.FileLargeAddressAware, "large addresses"},
	{pe.File32BitMachine, "32-bit machine"}, {0x200, "no debug information"}, {0x400, "copied from removable media"},
	{0x800, "copied from the network"}, {0x1000, "system file"}, {pe.FileDLL, "DLL"}, {0x4000, "one processor only"},
}

var dllWords = []bitWord{
	{pe.HighEntropyVA, "high-entropy addresses"}, {pe.DynamicBase, "dynamic base"}, {pe.ForceIntegrity, "signature required"},
	{pe.NXCompat, "data not executable"}, {0x200, "no isolation"}, {pe.NoSEH, "no structured exceptions"}, {0x800, "not bound"},
	{pe.AppContainer, "app container"}, {0x2000, "WDM driver"}, {pe.GuardCF, "control flow guard"}, {pe.TerminalServer, "terminal server aware"},
}

func bitWords(bits uint16, known []bitWord) []string {
	all := []string{}
	for _, w := range known {
		if bits&w.bit != 0 {
			all = append(all, w.text)
			bits &^= w.bit
		}
	}
	if bits != 0 {
		all = append(all, hexOf(bits))
	}
	return all
}

var directoryWords = [...]string{
	pe.DirExport: "exports", pe.DirImport: "imports", pe.DirResource: "resources", pe.DirException: "exceptions",
	pe.DirSecurity: "signature", pe.DirBaseReloc: "relocations", pe.DirDebug: "debug", pe.DirArchitecture: "architecture",
	pe.DirGlobalPtr: "global pointer", pe.DirTLS: "thread-local storage", pe.DirLoadConfig: "load configuration",
	pe.DirBoundImport: "bound imports", pe.DirIAT: "import addresses", pe.DirDelayImport: "delayed imports", pe.DirCLR: ".NET",
}
