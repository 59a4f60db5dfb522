package pe

import (
	stdpe "debug/pe"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// images returns the PE files of Wine and mingw on this machine.
func images(t testing.TB) (paths []string) {
	if testing.Short() {
		t.Skip("hundreds of files")
	}
	extensions := strings.Fields(".dll .exe .sys .drv .ocx .cpl .acm .ax .com .ds")
	for _, root := range []string{"/usr/lib/x86_64-linux-gnu/wine", "/usr/x86_64-w64-mingw32/lib", "/usr/lib/gcc/x86_64-w64-mingw32"} {
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && slices.Contains(extensions, strings.ToLower(filepath.Ext(path))) {
				paths = append(paths, path)
			}
			return nil
		})
	}
	if len(paths) == 0 {
		t.Skip("neither Wine nor mingw is here: no files to compare")
	}
	return paths
}

// TestLikeDebugPE reads files as the standard library does.
func TestLikeDebugPE(t *testing.T) {
	paths := images(t)
	for _, path := range paths {
		compare(t, path)
	}
	t.Logf("%d files", len(paths))
}

// compare opens a plain file, of which there is nothing to warn, with debug/pe too.
func compare(t *testing.T, path string) {
	t.Helper()
	want, err := stdpe.Open(path)
	if err != nil {
		t.Logf("%s: debug/pe does not read it: %v", path, err)
		return
	}
	defer want.Close()
	f, err := Open(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	if w := f.Warnings(); len(w) > 0 && f.Optional.Subsystem != SubsystemNative {
		t.Errorf("%s: warnings: %q", path, w)
	}
	if diff := cmp.Diff(want.FileHeader, stdpe.FileHeader{
		Machine: uint16(f.Machine), NumberOfSections: uint16(len(f.Sections)), TimeDateStamp: f.Timestamp,
		PointerToSymbolTable: f.PointerToSymbolTable, NumberOfSymbols: f.NumberOfSymbols,
		SizeOfOptionalHeader: uint16(f.Offsets.SectionTable - f.Offsets.Optional), Characteristics: f.Characteristics,
	}); diff != "" {
		t.Errorf("%s: COFF header: %s", path, diff)
	}
	if diff := cmp.Diff(want.OptionalHeader, standardOptional(f)); diff != "" {
		t.Errorf("%s: optional header: %s", path, diff)
	}
	for i, s := range want.Sections {
		got := f.Sections[i]
		if diff := cmp.Diff(s.SectionHeader, stdpe.SectionHeader{
			Name: got.Name, VirtualSize: got.VirtualSize, VirtualAddress: got.VirtualAddress, Size: got.RawSize, Offset: got.RawOffset,
			PointerToRelocations: got.PointerToRelocations, PointerToLineNumbers: got.PointerToLineNumbers,
			NumberOfRelocations: got.NumberOfRelocations, NumberOfLineNumbers: got.NumberOfLineNumbers, Characteristics: uint32(got.Flags),
		}); diff != "" {
			t.Errorf("%s: section %d: %s", path, i, diff)
		}
	}
	compareContents(t, path, f, want)
}

// compareContents reads what debug/pe does not check.
func compareContents(t *testing.T, path string, f *File, want *stdpe.File) {
	for i, s := range want.Sections {
		if s.Name != ".rsrc" && s.Name != ".data" {
			continue
		}
		data, err := s.Data()
		if err != nil {
			t.Errorf("%s: section %d: %v", path, i, err)
			continue
		}
		n := min(len(data), int(s.VirtualSize))
		b := make([]byte, n)
		if _, err := f.ReadRVA(b, s.VirtualAddress); err != nil || !slices.Equal(b, data[:n]) {
			t.Errorf("%s: section %d differs in memory: %v", path, i, err)
		}
	}
	if _, err := f.Exports(); err != nil {
		t.Errorf("%s: %v", path, err)
	}
	imports, err := f.Imports()
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	var symbols []string
	for _, i := range imports {
		for _, s := range i.Symbols {
			if s.Name != "" {
				symbols = append(symbols, s.Name+":"+i.DLL)
			}
		}
	}
	if imported, err := want.ImportedSymbols(); err == nil {
		if diff := cmp.Diff(imported, symbols); diff != "" {
			t.Errorf("%s: imports: %s", path, diff)
		}
	}
	for r, err := range f.Relocations() {
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else if n, err := f.ReadRVA(make([]byte, 4), r.RVA); err != nil {
			t.Errorf("%s: relocation at %#x: %d bytes, %v", path, r.RVA, n, err)
		}
	}
}

// standardOptional returns the optional header as debug/pe does.
func standardOptional(f *File) any {
	o := &f.Optional
	var directories [16]stdpe.DataDirectory
	for i, d := range f.Directories {
		directories[i] = stdpe.DataDirectory{VirtualAddress: d.Address, Size: d.Size}
	}
	if o.Plus {
		return &stdpe.OptionalHeader64{
			Magic: magicPlus, MajorLinkerVersion: o.MajorLinkerVersion, MinorLinkerVersion: o.MinorLinkerVersion,
			SizeOfCode: o.SizeOfCode, SizeOfInitializedData: o.SizeOfInitializedData, SizeOfUninitializedData: o.SizeOfUninitializedData,
			AddressOfEntryPoint: o.EntryPoint, BaseOfCode: o.BaseOfCode, ImageBase: o.ImageBase,
			SectionAlignment: o.SectionAlignment, FileAlignment: o.FileAlignment,
			MajorOperatingSystemVersion: o.MajorOSVersion, MinorOperatingSystemVersion: o.MinorOSVersion,
			MajorImageVersion: o.MajorImageVersion, MinorImageVersion: o.MinorImageVersion,
			MajorSubsystemVersion: o.MajorSubsystemVersion, MinorSubsystemVersion: o.MinorSubsystemVersion,
			Win32VersionValue: o.Win32VersionValue, SizeOfImage: o.SizeOfImage, SizeOfHeaders: o.SizeOfHeaders, CheckSum: o.CheckSum,
			Subsystem: o.Subsystem, DllCharacteristics: o.DLLCharacteristics,
			SizeOfStackReserve: o.SizeOfStackReserve, SizeOfStackCommit: o.SizeOfStackCommit,
			SizeOfHeapReserve: o.SizeOfHeapReserve, SizeOfHeapCommit: o.SizeOfHeapCommit,
			LoaderFlags: o.LoaderFlags, NumberOfRvaAndSizes: o.NumberOfRvaAndSizes, DataDirectory: directories,
		}
	}
	return &stdpe.OptionalHeader32{
		Magic: magicPE32, MajorLinkerVersion: o.MajorLinkerVersion, MinorLinkerVersion: o.MinorLinkerVersion,
		SizeOfCode: o.SizeOfCode, SizeOfInitializedData: o.SizeOfInitializedData, SizeOfUninitializedData: o.SizeOfUninitializedData,
		AddressOfEntryPoint: o.EntryPoint, BaseOfCode: o.BaseOfCode, BaseOfData: o.BaseOfData, ImageBase: uint32(o.ImageBase),
		SectionAlignment: o.SectionAlignment, FileAlignment: o.FileAlignment,
		MajorOperatingSystemVersion: o.MajorOSVersion, MinorOperatingSystemVersion: o.MinorOSVersion,
		MajorImageVersion: o.MajorImageVersion, MinorImageVersion: o.MinorImageVersion,
		MajorSubsystemVersion: o.MajorSubsystemVersion, MinorSubsystemVersion: o.MinorSubsystemVersion,
		Win32VersionValue: o.Win32VersionValue, SizeOfImage: o.SizeOfImage, SizeOfHeaders: o.SizeOfHeaders, CheckSum: o.CheckSum,
		Subsystem: o.Subsystem, DllCharacteristics: o.DLLCharacteristics,
		SizeOfStackReserve: uint32(o.SizeOfStackReserve), SizeOfStackCommit: uint32(o.SizeOfStackCommit),
		SizeOfHeapReserve: uint32(o.SizeOfHeapReserve), SizeOfHeapCommit: uint32(o.SizeOfHeapCommit),
		LoaderFlags: o.LoaderFlags, NumberOfRvaAndSizes: o.NumberOfRvaAndSizes, DataDirectory: directories,
	}
}

// TestLikeDebugPEGo reads what the Go linker writes.
func TestLikeDebugPEGo(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil || testing.Short() {
		t.Skip("builds three programs with the go command")
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "tiny.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() { println(1) }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, arch := range []string{"amd64", "arm64", "386"} {
		program := filepath.Join(dir, arch+".exe")
		cmd := exec.Command("go", "build", "-o", program, source)
		cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH="+arch, "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", arch, err, out)
			continue
		}
		compare(t, program)
		f, err := Open(program)
		if err != nil {
			t.Fatal(err)
		}
		if f.Machine.String() != arch {
			t.Errorf("%s has the machine %s", program, f.Machine)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
