package pe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// A strange file is read with a warning, or refused.
type strange struct {
	name   string
	change func(s *sketch)
	bytes  func(b []byte) []byte // changes what is drawn
	pe32   bool
	warns  string // part of a warning
	fails  string // part of the error of New
	// Parts of the errors of the methods.
	exports, imports, relocations string
	large                         bool // not a fuzz seed
	check                         func(t *testing.T, f *File)
}

// strangeFiles are the files of TestStrange and the seeds of FuzzOpen.
func strangeFiles() []strange {
	return append(append(strangeHeaders(), strangeSections()...), strangeTables()...)
}

func (s *strange) draw() []byte {
	k := plain()
	if s.pe32 {
		k = small()
	}
	if s.change != nil {
		s.change(&k)
	}
	b := k.draw()
	if s.bytes != nil {
		b = s.bytes(b)
	}
	return b
}

func strangeHeaders() []strange {
	magic := func(off int, text string) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[off:], text); return b }
	}
	cut := func(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:n] } }
	return []strange{
		{name: "plain", check: wantPlain},
		{name: "plain32", pe32: true, check: wantPlain},
		{name: "arm64", change: func(s *sketch) { s.machine = ARM64 }, check: wantPlain},
		{name: "empty", bytes: cut(0), fails: "0 bytes of the file"},
		{name: "one-byte", bytes: cut(1), fails: "1 bytes of the file"},
		{name: "dos-header-cut", bytes: cut(63), fails: "the MS-DOS header of 64 bytes"},
		{name: "signature-cut", bytes: cut(0x82), fails: "the PE signature"},
		{name: "coff-cut", bytes: cut(0x90), fails: "the COFF header"},
		{name: "optional-cut", bytes: cut(0x99), fails: "the optional header"},
		{name: "optional-cut-later", bytes: cut(0xF0), fails: "the optional header"},
		{name: "directories-cut", change: func(s *sketch) { s.optionalSize, s.sections = 16, nil }, bytes: cut(0x98 + 112 + 20), warns: "ends in the data directories"},
		{name: "not-mz", bytes: magic(0, "\x7fELF"), fails: "ELF"},
		{name: "te", bytes: magic(0, "VZ"), fails: "(TE)"},
		{name: "object", bytes: magic(0, "\x64\x86"), fails: "object file"},
		{name: "library", bytes: magic(0, "!<arch>\n"), fails: "library of object files"},
		{name: "ne", bytes: magic(0x80, "NE"), fails: "(NE)"},
		{name: "le", bytes: magic(0x80, "LE"), fails: "(LE)"},
		{name: "lx", bytes: magic(0x80, "LX"), fails: "(LX)"},
		{name: "dos", bytes: magic(0x80, "\xb4\x4c\xcd\x21"), fails: "in place of the PE signature"},
		{name: "lfanew-far", bytes: magic(60, "\xff\xff\xff\xff"), fails: "offset 0xffffffff"},
		{name: "lfanew-far-in-a-large-file", change: func(s *sketch) { s.lfanew, s.headers, s.size = 0x1100, 0x1400, 0x1400 }, warns: "overlap others or the headers"},
		{name: "odd-offset", change: func(s *sketch) { s.lfanew = 0x7D }, warns: "no multiple of 4"},
		{name: "header-in-header", change: func(s *sketch) {
			s.lfanew, s.sectionAlign, s.fileAlign = 4, 4, 4 // SectionAlignment is e_lfanew
		}, warns: "overlap the MS-DOS header"},
		{name: "no-optional-header", bytes: magic(0x94, "\x00\x00"), fails: "no optional header"},
		{name: "rom", bytes: magic(0x98, "\x07\x01"), fails: "ROM image"},
		{name: "unknown-magic", bytes: magic(0x98, "\x0c\x01"), fails: "0x10c"},
		{name: "short-optional-header", change: func(s *sketch) { s.optionalSize = 4 }, warns: "a section table overlaps them"},
		{name: "directories-in-sections", change: func(s *sketch) { s.optionalSize, s.directories = 120, nil }, warns: "overlap the section table"},
		{name: "no-directories", change: func(s *sketch) { s.nDirectories, s.optionalSize, s.directories = 0, 112, nil }, check: func(t *testing.T, f *File) {
			if f.Directory(DirExport) != (Directory{}) || f.Directory(-1) != (Directory{}) {
				t.Error("directories that are not there")
			}
		}},
		{name: "many-directories", change: func(s *sketch) { s.nDirectories = 0xFFFFFFFF }, warns: "4294967295 data directories"},
		{name: "directory-out-of-range", change: func(s *sketch) { s.directories[DirDebug] = Directory{0xFFFFFFF0, 0x20} }, warns: "data directory 6"},
		{name: "zero-alignment", change: func(s *sketch) { s.sectionAlign, s.fileAlign = 0, 0 }, warns: "powers of two"},
		{name: "odd-alignment", change: func(s *sketch) { s.sectionAlign, s.fileAlign = 0x1001, 3 }, warns: "powers of two"},
		{name: "alignments-swapped", change: func(s *sketch) { s.sectionAlign, s.fileAlign = 0x200, 0x1000 }, warns: "is less than FileAlignment"},
		{name: "huge-alignment", change: func(s *sketch) { s.sectionAlign, s.fileAlign = 1<<31, 1<<31 }, warns: "no multiple of SectionAlignment"},
		{name: "size-of-headers", change: func(s *sketch) { s.headers = 0 }, warns: "SizeOfHeaders is 0"},
		{name: "size-of-headers-huge", change: func(s *sketch) { s.headers = 0xFFFFFFFF }, warns: "SizeOfHeaders is 4294967295"},
		{name: "size-of-image", change: func(s *sketch) { s.sizeOfImage = 0x1800 }, warns: "beyond SizeOfImage"},
		{name: "signed", change: func(s *sketch) { s.directories[DirSecurity] = Directory{0x7F8, 8} }, check: func(t *testing.T, f *File) {
			if off, size, ok := f.Signature(); off != 0x7F8 || size != 8 || !ok {
				t.Errorf("signature: %#x %d %t", off, size, ok)
			}
		}},
		{name: "signature-out-of-range", change: func(s *sketch) { s.directories[DirSecurity] = Directory{0x7F8, 9} }, warns: "the signature"},
		{name: "overlay", change: func(s *sketch) { s.size = 0x810 }, check: func(t *testing.T, f *File) {
			if off, size := f.Overlay(); off != 0x800 || size != 0x10 {
				t.Errorf("overlay: %#x %d", off, size)
			}
		}},
	}
}

func wantPlain(t *testing.T, f *File) {
	if w := f.Warnings(); w != nil {
		t.Errorf("warnings: %q", w)
	}
	e, err := f.Exports()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(*e), "{plain.dll 5 [{Alpha 5 4096 } {Also 5 4096 } { 6 4100 } {Forward 8 8352 OTHER.Name}]}"; got != want {
		t.Errorf("exports\n%s, not\n%s", got, want)
	}
	i, err := f.Imports()
	slot := map[bool]int{false: 4, true: 8}[f.Optional.Plus]
	if got, want := fmt.Sprint(i, err), fmt.Sprintf("[{kernel32.dll [{Sleep 4386 0 8512} { 0 7 %d}]}] <nil>", 8512+slot); got != want {
		t.Errorf("imports\n%s, not\n%s", got, want)
	}
	var relocations []string
	for r, err := range f.Relocations() {
		relocations = append(relocations, fmt.Sprintf("%#x:%d:%v", r.RVA, r.Type, err))
	}
	if got, want := strings.Join(relocations, " "), "0x2008:10:<nil> 0x2010:3:<nil> 0x2018:4:<nil> 0x2fff:10:<nil>"; got != want {
		t.Errorf("relocations\n%s, not\n%s", got, want)
	}
	if off, size := f.Overlay(); off != 0x800 || size != 0 {
		t.Errorf("overlay: %#x %d", off, size)
	}
	if _, _, ok := f.Signature(); ok {
		t.Error("a signature")
	}
}

func TestStrange(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range strangeFiles() {
		t.Run(s.name, func(t *testing.T) {
			if seen[s.name] {
				t.Error("twice")
			}
			seen[s.name] = true
			b := s.draw()
			f, err := New(bytes.NewReader(b), int64(len(b)))
			if s.fails != "" {
				if !errors.Is(err, ErrFormat) || !strings.Contains(fmt.Sprint(err), s.fails) {
					t.Errorf("%v; want an ErrFormat with %q", err, s.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(f.Warnings(), "\n"), s.warns) {
				t.Errorf("%q; want a warning with %q", f.Warnings(), s.warns)
			}
			_, err = f.Exports()
			wantFailure(t, "Exports", err, s.exports)
			_, err = f.Imports()
			wantFailure(t, "Imports", err, s.imports)
			err = nil
			for _, err = range f.Relocations() {
			}
			wantFailure(t, "Relocations", err, s.relocations)
			if s.check != nil {
				s.check(t, f)
			}
		})
	}
}

// wantFailure checks the error of a method. Of the files that are strange elsewhere nothing is
// asked.
func wantFailure(t *testing.T, method string, err error, want string) {
	if want != "" && (!errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want)) {
		t.Errorf("%s: %v; want an ErrFormat with %q", method, err, want)
	}
}

// put32 changes 4 bytes at an address of the tables.
func put32(rva int, v uint32) func([]byte) []byte {
	return func(b []byte) []byte {
		binary.LittleEndian.PutUint32(b[rva-tableShift:], v)
		return b
	}
}
